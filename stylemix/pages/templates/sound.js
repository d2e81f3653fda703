"use strict";
// One context for the whole page, so that starting a sound can stop the one before.

const MOST_SECONDS_DECODED = 600;

function el(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.textContent = text;
  return node;
}

function readData(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

function clock(seconds, digits = 0) {
  const unit = 10 ** digits;
  const rounded = Math.round(seconds * unit) / unit;
  const rest = (rounded % 60).toFixed(digits).padStart(digits ? 3 + digits : 2, "0");
  return `${Math.floor(rounded / 60)}:${rest}`;
}

class Jukebox {
  constructor() {
    this.context = null;
    this.decoded = new Map();
    this.current = null;
    this.turn = 0;
  }

  start() {
    if (!this.context) {
      this.context = new AudioContext();
      this.meter = this.context.createAnalyser();
      this.meter.fftSize = 1024;
      this.meter.connect(this.context.destination);
      this.heard = new Float32Array(this.meter.fftSize);
    }
    return this.context.resume();
  }

  // Decoded sound is large (11 MB a minute and channel): the least recently played goes first.
  buffer(id) {
    const known = this.decoded.get(id);
    this.decoded.delete(id);
    const promise = known || this.decode(id);
    this.decoded.set(id, promise);
    return promise;
  }

  // Sound comes last in a page: a browser may still be reading it when the rest is already used.
  async block(id) {
    if (!document.getElementById(id) && document.readyState === "loading") {
      await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
    }
    return document.getElementById(id);
  }

  async decode(id) {
    const text = atob((await this.block(id)).textContent);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    const buffer = await this.context.decodeAudioData(bytes.buffer);
    this.decoded.get(id).seconds = buffer.duration * buffer.numberOfChannels;
    let total = [...this.decoded.values()].reduce((sum, one) => sum + (one.seconds || 0), 0);
    for (const [old, one] of this.decoded) {
      if (total <= MOST_SECONDS_DECODED || old === id) break;
      total -= one.seconds || 0;
      this.decoded.delete(old);
    }
    return buffer;
  }

  // what: {id, offset, duration, gain, lead, onstop}; offset is in the sound, lead is the codec's silence before it.
  async play(what) {
    this.stop();
    const turn = ++this.turn;
    await this.start();
    let buffer;
    try {
      buffer = await this.buffer(what.id);
    } catch (error) {
      this.decoded.delete(what.id);
      throw new Error("This browser cannot decode the sound");
    }
    if (turn !== this.turn) return false;
    const lead = what.lead || 0;
    const offset = Math.max(0, what.offset || 0);
    const duration = Math.max(0.01, Math.min(what.duration ?? Infinity, buffer.duration - lead - offset));
    const source = new AudioBufferSourceNode(this.context, { buffer });
    const fader = new GainNode(this.context, { gain: 0 });
    const now = this.context.currentTime;
    const fade = Math.min(0.012, duration / 4);
    const gain = what.gain ?? 1;
    fader.gain.setValueAtTime(0, now);
    fader.gain.linearRampToValueAtTime(gain, now + fade);
    fader.gain.setValueAtTime(gain, now + duration - fade);
    fader.gain.linearRampToValueAtTime(0, now + duration);
    source.connect(fader).connect(this.meter);
    source.start(now, lead + offset, duration);
    this.current = { what, source, fader, begun: now, offset, duration };
    const mine = this.current;
    source.onended = () => { if (this.current === mine) this.finish(true); };
    return true;
  }

  position() {
    if (!this.current) return 0;
    const { begun, offset, duration } = this.current;
    return offset + Math.min(duration, Math.max(0, this.context.currentTime - begun));
  }

  // Loudness now, for whoever wants to move with the sound.
  level() {
    if (!this.current) return 0;
    this.meter.getFloatTimeDomainData(this.heard);
    let sum = 0;
    for (const value of this.heard) sum += value * value;
    return Math.sqrt(sum / this.heard.length);
  }

  stop() {
    this.turn++;
    if (!this.current) return;
    const { source, fader } = this.current;
    const now = this.context.currentTime;
    fader.gain.cancelScheduledValues(now);
    fader.gain.setTargetAtTime(0, now, 0.004);
    source.stop(now + 0.03);
    this.finish(false);
  }

  finish(ended) {
    const { what } = this.current;
    this.current = null;
    if (what.onstop) what.onstop(ended);
  }
}

function fillFacts(list, facts) {
  for (const [name, value] of facts) {
    const item = el("div");
    item.append(el("dt", "", name), el("dd", "", value));
    list.append(item);
  }
}

const jukebox = new Jukebox();
