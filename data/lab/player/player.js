// The player page. The recorder calls lab.play, the actions, and reads lab.state at the end.
'use strict';
const lab = (() => {
  const events = [];
  const media = document.getElementById('media'); // a video element plays sound as well
  const now = () => performance.timeOrigin + performance.now(); // Unix milliseconds
  const note = (event, detail = '') => events.push({ ms: now(), event, detail: String(detail) });
  performance.setResourceTimingBufferSize(10000);
  media.muted = true;
  for (const e of ['playing', 'waiting', 'pause', 'seeking', 'seeked', 'ended']) {
    media.addEventListener(e, () => note(e, media.currentTime.toFixed(3)));
  }
  media.addEventListener('error', () => note('error', media.error && media.error.message));

  let queue = [];
  let current = null;
  let played = 0; // seconds of the items that are over
  let stop = () => {};

  function hls(item) {
    const h = new Hls({ startPosition: item.from, maxBufferLength: item.ahead, maxMaxBufferLength: item.ahead, backBufferLength: 30, enableWorker: false, testBandwidth: false });
    h.on(Hls.Events.LEVEL_SWITCHED, (_, d) => note('quality', d.level));
    h.on(Hls.Events.ERROR, (_, d) => note('error', d.details));
    h.loadSource(item.path + 'media.m3u8');
    h.attachMedia(media);
    return () => h.destroy();
  }

  // dash is a player for what ffmpeg's dash muxer writes: one period, one representation, segments numbered from 1.
  function dash(item) {
    let over = false;
    let step = 0; // seconds of a segment
    let seeked = null; // where to go on loading, after a jump to where nothing is
    let loading = 0;
    const segmentAt = (t) => Math.floor(t / step) + 1;
    const source = new MediaSource();
    media.src = URL.createObjectURL(source);
    media.currentTime = item.from; // where playback begins, once there is something
    const get = async (name) => {
      const r = await fetch(item.path + name);
      if (!r.ok) throw new Error(name + ': ' + r.status);
      return r;
    };
    source.addEventListener('sourceopen', async () => {
      try {
        const mpd = new DOMParser().parseFromString(await (await get('media.mpd')).text(), 'text/xml');
        const rep = mpd.querySelector('Representation');
        const template = mpd.querySelector('SegmentTemplate');
        const length = parseTime(mpd.documentElement.getAttribute('mediaPresentationDuration'));
        step = Number(template.getAttribute('duration')) / Number(template.getAttribute('timescale'));
        const buffer = source.addSourceBuffer(rep.getAttribute('mimeType') + '; codecs="' + rep.getAttribute('codecs') + '"');
        source.duration = length;
        const append = (data) => new Promise((done, fail) => {
          buffer.addEventListener('updateend', done, { once: true });
          buffer.addEventListener('error', () => fail(new Error('append')), { once: true });
          buffer.appendBuffer(data);
        });
        const ext = template.getAttribute('media').split('.').pop();
        await append(await (await get(template.getAttribute('initialization'))).arrayBuffer());
        const last = Math.ceil(length / step - 0.01);
        for (let n = segmentAt(item.from); n <= last && !over;) {
          const end = bufferedEnd();
          if (end - media.currentTime >= item.ahead) {
            await new Promise((done) => setTimeout(done, 100));
            continue;
          }
          if (seeked !== null) {
            n = segmentAt(seeked);
            seeked = null;
          }
          loading = n;
          await append(await (await get('segment-' + String(n).padStart(5, '0') + '.' + ext)).arrayBuffer());
          n++;
        }
        if (!over) source.endOfStream();
      } catch (e) {
        if (!over) note('error', e.message);
      }
    }, { once: true });
    const onSeek = () => { if (bufferedEnd() === media.currentTime && segmentAt(media.currentTime) !== loading) seeked = media.currentTime; };
    media.addEventListener('seeking', onSeek);
    return () => { over = true; media.removeEventListener('seeking', onSeek); };
  }

  // bufferedEnd is up to where playback could go from here; the current time when nothing is there.
  function bufferedEnd() {
    const b = media.buffered;
    for (let i = 0; i < b.length; i++) {
      if (b.start(i) <= media.currentTime + 0.1 && b.end(i) > media.currentTime) return b.end(i);
    }
    return media.currentTime;
  }

  function parseTime(s) {
    const m = /^PT(?:(\d+)H)?(?:(\d+)M)?([\d.]+)S$/.exec(s);
    return Number(m[1] || 0) * 3600 + Number(m[2] || 0) * 60 + Number(m[3]);
  }

  function progressive(item) {
    media.src = item.path + item.file;
    media.currentTime = item.from;
    return () => {};
  }

  function next() {
    if (current) played += media.currentTime - current.from;
    stop();
    current = queue.shift();
    if (!current) return;
    note('item', current.name + ' from ' + current.from.toFixed(1));
    stop = { hls, dash, progressive }[current.delivery](current);
    media.play().catch((e) => note('error', e.message));
  }
  media.addEventListener('ended', next);

  return {
    // play starts the items one after the other; an advertisement is an item before the song.
    play(items) { queue = items.slice(); played = 0; current = null; note('play'); next(); },
    skip() { note('skip'); next(); },
    pause(ms) { note('pause'); media.pause(); setTimeout(() => { note('resume'); media.play(); }, ms); },
    seek(by) { note('seek', by); media.currentTime = Math.min(media.currentTime + by, media.duration - 5); },
    async list(path) { note('list'); const r = await fetch(path); await r.text(); },
    state() {
      const transfers = performance.getEntriesByType('resource').map((e) => ({
        begin: performance.timeOrigin + e.startTime, end: performance.timeOrigin + e.responseEnd, bytes: e.transferSize && e.encodedBodySize, file: e.name.split('/').pop(),
      }));
      return { events, transfers, position: played + (current ? media.currentTime - current.from : 0) };
    },
  };
})();
