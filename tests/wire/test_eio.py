"""Frames in base64, for clients that asked for text only."""

from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st

from fastsio.wire.eio import frames_in_base64
from fastsio.wire.ws import encode_frame

frames = st.tuples(st.sampled_from([1, 2, 8, 9]), st.sampled_from([0, 1, 125, 126, 70_000]), st.binary(max_size=1))


@given(st.lists(frames, max_size=5))
def test_binary_frames_become_text_and_nothing_else_changes(frames):
    sent = [(opcode, (fill or b"x") * size) for opcode, size, fill in frames]
    expected = b"".join(
        encode_frame(1, b"b" + b64encode(data)) if opcode == 2 else encode_frame(opcode, data) for opcode, data in sent
    )
    given_ = b"".join(encode_frame(opcode, data) for opcode, data in sent)
    assert frames_in_base64(given_) == expected
    assert frames_in_base64(memoryview(given_)) == expected
