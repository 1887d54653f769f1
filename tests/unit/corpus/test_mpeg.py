"""Frames of MP3s: made by hand, and those of real clips."""

import pytest

from autotagging.corpus.mpeg import damaged_seconds, from_first_frame, start_of_unknown_length

MPEG_2 = bytes.fromhex("fff348c4")  # 16 kHz, 32 kbit/s: 72 * 32000 / 16000 = 144 bytes, 36 ms
MPEG_1 = bytes.fromhex("fffb9064")  # 44.1 kHz, 128 kbit/s: 144 * 128000 / 44100 = 417 bytes
MPEG_1_PADDED = bytes.fromhex("fffb9264")  # one byte more
MPEG_1_LARGE = bytes.fromhex("fffbe064")  # 320 kbit/s: 1044 bytes
MPEG_2_5 = bytes.fromhex("ffe328c4")  # 8 kHz, 16 kbit/s: 144 bytes, 72 ms
ID3 = b"ID3\x04\0\0\0\0\x02\x30"  # 2 * 128 + 48 = 304 bytes follow


def frame(header, size):
    return header + bytes(size - 4)


def frames(number):
    return frame(MPEG_2, 144) * number


@pytest.mark.parametrize(
    "content",
    [
        frames(10),
        frames(10)[:-1],  # cut
        frame(MPEG_2_5, 144) * 10,
        (frame(MPEG_1, 417) + frame(MPEG_1_PADDED, 418) + frame(MPEG_1_LARGE, 1044)) * 5,
        ID3 + (frame(MPEG_1, 152) + frame(MPEG_1, 152)) + frames(10),  # a picture like a frame
        b"\0" * 500 + frames(10),
        frames(10) + b"TAG" + bytes(125),
        frames(10) + b"APETAGEX" + bytes(100) + MPEG_2,
        frames(10) + bytes(1500),
        frames(10) + b"<html></html>" * 100,
        bytes.fromhex("fff308c4") * 1000,  # free format
        bytes.fromhex("fff348c4"),
        b"ID3",
        b"",
    ],
)
def test_frames_in_a_row_are_not_damaged(content):
    assert damaged_seconds(content) == 0


@pytest.mark.parametrize("header", [MPEG_2, MPEG_2_5])
def test_each_frame_that_is_too_long_or_too_short_counts_with_its_duration(header):
    good, long, short = frame(header, 144), frame(header, 147), frame(header, 143)
    duration = {MPEG_2: 0.036, MPEG_2_5: 0.072}[header]
    assert damaged_seconds(good * 5 + long + good * 5) == pytest.approx(duration)
    assert damaged_seconds(good * 5 + short + good * 5) == pytest.approx(duration)
    assert damaged_seconds(good + long * 300 + good * 2) == pytest.approx(300 * duration)
    # A frame counts if another follows, and is found if one follows: not so the last two.
    assert damaged_seconds(long * 300) == pytest.approx(298 * duration)


def test_bytes_between_frames_count_once():
    assert damaged_seconds(frames(5) + b"x" * 5000 + frames(5)) == pytest.approx(0.036)


def test_the_real_clips_have_no_damage_until_their_line_ends_are_converted(
    magnatagatune, realmusic
):
    clips = [*magnatagatune.glob("mp3/*/*.mp3"), *sorted(realmusic.glob("?/*.mp3"))[::5]]
    contents = [content for clip in clips if (content := clip.read_bytes())]
    assert [damaged_seconds(content) for content in contents] == [0] * len(contents)
    # A frame of 144 bytes has a line feed in 1 - (255 / 256) ** 144 = 43 % of all cases; and
    # a pair of bytes is "\r\n" once in 65,536 pairs, about twice in a clip.
    converted = [damaged_seconds(content.replace(b"\n", b"\r\n")) for content in contents]
    assert min(converted) > 10
    back = [damaged_seconds(content.replace(b"\r\n", b"\n")) for content in contents]
    assert max(back) < 0.3


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        (ID3 + bytes(304) + b"TAG" + bytes(125), b""),
        (b"TAG" + bytes(125), b"TAG" + bytes(125)),  # no ID3v2 tag
        (b"", b""),
    ],
)
def test_what_is_between_an_id3_tag_and_the_first_frame_is_left_out(before, kept):
    assert from_first_frame(before + frames(10)) == kept + frames(10)


def test_of_bytes_without_a_frame_nothing_is_left_out():
    assert from_first_frame(ID3 + bytes(5000)) == ID3 + bytes(5000)


def info(name, flags, *numbers):
    """Make an info frame of 144 bytes."""
    head = MPEG_2 + bytes(9) + name + bytes([0, 0, 0, flags])  # mono: 9 bytes between
    return (head + b"".join(number.to_bytes(4, "big") for number in numbers)).ljust(144, b"\0")


VARIABLE = frames(10) + frame(bytes.fromhex("fff368c4"), 288) * 10  # 32, then 64 kbit/s


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (frames(20), None),  # an estimate is right
        (VARIABLE, 0),
        (b"TAG" + bytes(125) + VARIABLE, 128),
        (info(b"Xing", 3, 20, 144 + len(VARIABLE)) + VARIABLE, None),
        (info(b"Xing", 3, 20, len(VARIABLE)) + VARIABLE, None),  # without the info frame
        (info(b"Info", 1, 20) + frames(20), None),
        (info(b"Xing", 3, 0, 0) + VARIABLE, 0),  # written before the number was known
        (info(b"Xing", 2, 144 + len(VARIABLE)) + VARIABLE, 0),
        (2 * (info(b"Info", 3, 20, 144 + 20 * 144) + frames(20)), 144),
        (info(b"Info", 3, 20, 144 + 20 * 144) + frames(20) + b"x" * 5000, None),
        (b"", None),
        (b"no frames", None),
    ],
)
def test_a_length_that_is_missing_or_too_short_is_found(content, start):
    assert start_of_unknown_length(content) == start
