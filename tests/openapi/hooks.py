"""Bodies that are not JSON."""

import os
from pathlib import Path

import schemathesis
from hypothesis import strategies as st

EXPORT = Path(os.environ["OPTLAB_EXPORT"]).read_bytes()


@st.composite
def exports(draw):
    """An export, whole or damaged at some places."""
    file = bytearray(EXPORT)
    for place in draw(st.lists(st.integers(0, len(file) - 1), max_size=3)):
        file[place] ^= draw(st.integers(1, 255))
    return bytes(file[: draw(st.sampled_from([len(file), len(file) // 2]))])


TOML = st.sampled_from([b'recipe = "digits-mlp"', b'recipe = "nothing"', b"name = ", b'name = "a"', b"\xff", b'a = "\\u0000"'])

schemathesis.openapi.media_type("application/vnd.apache.parquet", exports())
schemathesis.openapi.media_type("application/toml", TOML)
