"""What SK units select: the softmax over their branches."""
from sknet.attention.units import Unit, branch_attention, channel_attention, units

__all__ = ["Unit", "branch_attention", "channel_attention", "units"]
