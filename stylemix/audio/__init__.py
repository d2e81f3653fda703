"""Sound files in and out: probing, reading in blocks or at random, writing safely at any length."""

from stylemix.audio.access import AudioReader
from stylemix.audio.read import AudioInfo, UnreadableAudio, probe, read_blocks, read_wave, shown_name
from stylemix.audio.write import WaveWriter

__all__ = ["AudioInfo", "AudioReader", "UnreadableAudio", "WaveWriter", "probe", "read_blocks", "read_wave",
           "shown_name"]
