// Hearing the map: one segment, a file from here on, or a list; the point that sounds moves with the sound.

const SEAM_S = 0.004;

class MapSound {
  constructor(map) {
    this.map = map;
    this.goOn = false;
    this.queue = [];
    this.point = -1;
  }

  // Clips of a file lie end to end in its strip: those that follow one another without a gap play as one sound.
  stretch(from) {
    const { strip, offset, clip, start, duration } = this.map.points;
    const run = [this.queue[from]];
    for (let k = from + 1; k < this.queue.length; k++) {
      const a = run[run.length - 1], b = this.queue[k];
      const joined = strip[a] === strip[b] && Math.abs(offset[a] + clip[a] - offset[b]) < SEAM_S;
      if (!joined || Math.abs(start[a] + duration[a] - start[b]) > 0.02) break;
      run.push(b);
    }
    return run;
  }

  rest(i) {
    const { points, threads } = this.map;
    const thread = threads[points.file[i]];
    return thread.slice(thread.indexOf(i)).filter((j) => points.clip[j] > 0);
  }

  setGoOn(on) {
    this.goOn = this.map.view.goOn = on;
    this.map.root.querySelector(".map-go-on input").checked = on;
    // A list that plays stays a list; else the sound goes on behind what is already joined, or ends with this segment.
    if (!this.run || this.list) return;
    const last = this.run[this.run.length - 1];
    this.queue = [...this.queue.slice(0, this.next), ...(on ? this.rest(last).slice(1) : [])];
    this.last = on ? -1 : this.point;
  }

  play(i) {
    this.list = false;
    return this.begin(this.goOn && this.map.points.clip[i] > 0 ? this.rest(i) : [i]);
  }

  playList(list) {
    const heard = list.filter((i) => this.map.points.clip[i] > 0);
    if (!heard.length) return this.map.say("None of these has sound in this page");
    this.list = true;
    return this.begin(heard);
  }

  begin(queue) {
    this.queue = queue;
    this.next = 0;
    this.last = -1;
    this.trail = [];
    return this.advance();
  }

  async advance() {
    const { map } = this, { view, points } = map;
    const i = this.queue[this.next];
    map.choose(i);
    if (!(points.clip[i] > 0)) {
      jukebox.stop();
      map.say(...map.where(i), ": no sound kept in this page");
      return map.redraw();
    }
    const run = this.stretch(this.next);
    this.next += run.length;
    const seconds = run.reduce((sum, j) => sum + points.clip[j], 0);
    let mine = null;
    const stopped = (ended) => this.stopped(mine, ended);
    const what = { id: `map-strip-${points.strip[i]}`, offset: points.offset[i], duration: seconds, onstop: stopped };
    try {
      if (!(await jukebox.play(what))) return undefined;
    } catch (error) {
      return map.say(...map.where(i), `: ${error.message}`);
    }
    mine = this.run = run;
    this.enter(i);
    view.playing = { point: i, share: 0, level: 0, trail: this.trail };
    return map.redraw();
  }

  enter(i) {
    if (this.point >= 0 && this.map.points.file[this.point] === this.map.points.file[i]) this.trail.push(this.point);
    else this.trail.length = 0;
    // Who walks by keys reads on with the sound; a pointer stays where it points.
    if (this.map.view.hovered === this.point && this.map.byKeys) this.map.view.hovered = i;
    this.point = i;
    this.map.root.dataset.playing = i;
    this.map.choose(i);
    this.map.say("Playing ", ...this.map.where(i));
  }

  stopped(run, ended) {
    if (!run || run !== this.run) return;
    const where = this.map.where(this.point);
    if (ended && this.next < this.queue.length) {
      this.advance();
      return;
    }
    this.run = null;
    this.point = -1;
    this.map.view.playing = null;
    delete this.map.root.dataset.playing;
    this.map.say(...where, ": stopped");
    this.map.redraw();
  }

  // Asked every frame while something sounds: which segment it is now, and how far.
  follow() {
    const { playing } = this.map.view;
    if (!playing || !jukebox.current || !this.run) return undefined;
    const { clip } = this.map.points;
    let into = jukebox.position() - jukebox.current.offset, k = 0;
    while (k < this.run.length - 1 && into >= clip[this.run[k]]) into -= clip[this.run[k++]];
    const now = this.run[k];
    if (now !== this.point && this.last >= 0) return jukebox.stop();
    if (now !== this.point) this.enter(now);
    playing.point = now;
    playing.share = Math.min(1, into / clip[now]);
    playing.level = this.map.still ? 0 : jukebox.level();
    return undefined;
  }
}
