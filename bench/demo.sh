#!/bin/sh
# make demo: what each verb does, on a real recording (the conversation inside the pyannote.audio wheel) and on what comes of it.
# It needs no terminal, and may run again: outputs are written anew.
set -eu
bin=$1 out=$2
talk=$("$bin/python" -c 'import importlib.util; print(importlib.util.find_spec("pyannote").submodule_search_locations[0])')/audio/sample/sample.wav
mkdir -p "$out"

step() { printf '\n== %s\n' "$1"; shift; printf '$ audiocli'; for word; do printf ' %s' "${word##*/sample/}"; done; printf '\n'; "$bin/audiocli" "$@"; }

step "features: what is in this recording of a telephone conversation, 30 s? A table of figures," \
  features "$talk" -k waveform -k log-mel -k pitch -k rms -f txt
step "and the same as arrays for a program, with a figure to look at ($out/talk.png)." \
  features "$talk" -k waveform -k log-mel -k pitch -o "$out/talk.npz" --plot png --force
step "transcribe: what is said in it? As text," \
  transcribe "$talk"
step "and as subtitles." \
  transcribe "$talk" -o "$out/talk.srt" --force
head -4 "$out/talk.srt"
step "diarize: who speaks when?" \
  diarize "$talk" --speakers 2 -f txt
step "denoise: cut out what one of the two says, with the noise off it; level in dBFS and signal-to-noise ratio in dB, before and after." \
  denoise "$talk" --start 6.7 --duration 7 -o "$out/person.wav" --report --force
step "classify: which sounds are there, and how sure is the model?" \
  classify "$talk"
step "speak: a sentence out of a text ($out/hello.wav)." \
  speak "The demo is at its 7th step, and it is 5 pm." -o "$out/hello.wav" --force
step "clone: the same sentence in the voice of a reference ($out/cloned.wav)." \
  clone --source "$out/hello.wav" --reference "$out/person.wav" -o "$out/cloned.wav" --force
step "verify: is the cloned voice taken for the person, as the first voice was not?" \
  verify "$out/person.wav" "$out/cloned.wav"
step "generate-music: a chorale in four voices, as sound ($out/chorale.wav)." \
  generate-music --seconds 10 --seed 1 -o "$out/chorale.wav" --force
printf '\nWhat was made lies in %s/.\n' "$out"
