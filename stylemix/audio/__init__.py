"""Sound files in and out: probing, reading in blocks or at random, writing safely at any length."""

from stylemix.audio.access import AudioReader
from stylemix.audio.decode import UnreadableAudio, shown_name
from stylemix.audio.read import AudioInfo, probe, read_blocks, read_wave
from stylemix.audio.tags import Tags, read_tags
from stylemix.audio.write import WaveWriter

__all__ = ["AudioInfo", "AudioReader", "Tags", "UnreadableAudio", "WaveWriter", "probe", "read_blocks",
           "read_tags", "read_wave", "shown_name"]
