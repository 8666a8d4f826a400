#!/usr/bin/env bash
# A sound card made of software: a PulseAudio server of its own, with a loudspeaker and a microphone that programs can
# hear and speak into. For tests and for machines without sound hardware; needs no desktop, no D-Bus and no privileges.
#
#   virtual-sound-card.sh start DIR          starts it in DIR and prints the environment that programs need
#   virtual-sound-card.sh stop DIR           stops it; what DIR holds stays
#   virtual-sound-card.sh run COMMAND...     runs a command with a card of its own
#
# Speak into the microphone:    paplay --device=micfeed speech.wav
# Hear the loudspeaker:         parec --device=speaker.monitor ...
#
# Needs pulseaudio and pulseaudio-utils; libasound2-plugins for programs that use ALSA (PortAudio).
set -euo pipefail

environment() {
  cat <<ENV
XDG_RUNTIME_DIR=$1
PULSE_SERVER=unix:$1/pulse.sock
ALSA_CONFIG_PATH=$1/alsa.conf
ENV
}

start() {
  local dir=$1
  if ! command -v pulseaudio pactl >/dev/null; then
    echo "virtual-sound-card: needs pulseaudio and pactl (apt-get install pulseaudio pulseaudio-utils)" >&2
    exit 69
  fi
  mkdir -p "$dir"
  chmod 700 "$dir"
  rm -f "$dir/pulse.sock"
  # replaces the whole ALSA configuration: without it PortAudio looks for hardware, and complains at length
  cat >"$dir/alsa.conf" <<'ALSA'
defaults.namehint.basic on
defaults.namehint.extended on
defaults.namehint.showall on
pcm.default { type pulse hint { show on description "Pulse default" } }
ctl.default { type pulse }
ALSA
  export XDG_RUNTIME_DIR=$dir PULSE_SERVER=unix:$dir/pulse.sock
  # norewinds: else a null sink renders two seconds at once, and what is recorded has holes
  pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no --disable-shm=yes --realtime=no --high-priority=no \
    --log-target="file:$dir/pulse.log" --log-level=notice \
    -L "module-native-protocol-unix auth-anonymous=1 socket=$dir/pulse.sock" \
    -L "module-null-sink sink_name=speaker rate=48000 channels=2 norewinds=1 sink_properties=device.description=Speaker" \
    -L "module-null-sink sink_name=micfeed rate=48000 channels=2 norewinds=1 sink_properties=device.description=Feed" \
    -L "module-remap-source source_name=microphone master=micfeed.monitor source_properties=device.description=Microphone" \
    >/dev/null 2>&1 </dev/null &
  echo $! >"$dir/pulse.pid"
  for _ in $(seq 100); do
    if pactl info >/dev/null 2>&1; then
      pactl set-default-sink speaker
      pactl set-default-source microphone
      environment "$dir"
      return
    fi
    kill -0 "$(cat "$dir/pulse.pid")" 2>/dev/null || break
    sleep 0.1
  done
  echo "virtual-sound-card: the server does not answer, see $dir/pulse.log" >&2
  exit 70
}

stop() {
  local dir=$1 pid
  pid=$(cat "$dir/pulse.pid" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 50); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
  rm -f "$dir/pulse.pid"
}

case ${1:-} in
  start | stop)
    "$1" "${2:?a directory is missing}"
    ;;
  run)
    shift
    dir=$(mktemp -d)
    trap 'stop "$dir"; rm -rf "$dir"' EXIT
    start "$dir" >"$dir/env"
    set -a
    # shellcheck disable=SC1091
    . "$dir/env"
    set +a
    "$@"
    ;;
  *)
    sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac
