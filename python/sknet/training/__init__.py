"""From images to a trained net, in a folder that a training goes on in."""
