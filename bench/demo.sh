#!/bin/sh
# make demo: the main job of each verb on a real recording, the conversation inside the pyannote.audio wheel.
set -eu
bin=$1 out=$2
talk=$("$bin/python" -c 'import importlib.util; print(importlib.util.find_spec("pyannote").submodule_search_locations[0])')/audio/sample/sample.wav
mkdir -p "$out"

echo "A real conversation, 30 s: what is in it?"
"$bin/audiocli" features "$talk" -k waveform -k log-mel -k pitch -k rms -k centroid --format txt
echo
echo "A figure of it, its features as arrays, and its pitch as a table:"
"$bin/audiocli" features "$talk" -k waveform -k log-mel -k mfcc -k pitch -o "$out/talk.npz" --plot png --force
"$bin/audiocli" features "$talk" -k pitch -k rms -o "$out/talk.csv" --force
ls -l "$out"
echo
echo "What is said in it, to the built-in recogniser (a telephone call: hard for it), and as subtitles:"
"$bin/audiocli" transcribe "$talk"
"$bin/audiocli" transcribe "$talk" -o "$out/talk.srt" --force
head -8 "$out/talk.srt"
