import pytest


@pytest.fixture
def write(tmp_path):
    """write(text, name) → the path of a new file, a prototxt by its name, as a
    string."""
    def write_file(text, name="net.prototxt"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)
    return write_file
