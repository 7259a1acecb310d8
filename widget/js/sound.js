// Two tones, made here: no file to load. Browsers stay silent until the visitor has touched the page.

let context;

export function chime() {
  try {
    context ??= new AudioContext();
    context.resume();
    tone(660, 0);
    tone(880, 0.12);
  } catch {
    // No sound, then.
  }
}

function tone(pitch, after) {
  const at = context.currentTime + after;
  const oscillator = context.createOscillator();
  const volume = context.createGain();
  oscillator.frequency.value = pitch;
  volume.gain.setValueAtTime(0.0001, at);
  volume.gain.exponentialRampToValueAtTime(0.15, at + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.25);
  oscillator.connect(volume).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + 0.3);
}
