// Zooming and moving one picture: by wheel, two fingers, dragging, keys, and a double click. Where
// it is stands in three custom properties of the picture; the style sheet does the rest.
const MOST = 8;
const STEP = 1.5;
const SWIPE = 60; // pixels to the side, and more of them than up or down

export class Zoom {
  // `swiped(1)`: to the next; `isFull()`: whether the wheel is the picture's, or still the page's.
  constructor(stage, picture, { swiped, isFull }) {
    Object.assign(this, { stage, picture, swiped, isFull, pointers: new Map() });
    this.fit();
    stage.addEventListener("pointerdown", (event) => this.press(event));
    stage.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => this.release(event));
    stage.addEventListener("dblclick", (event) => this.toggle(event));
    stage.addEventListener("wheel", (event) => this.turn(event), { passive: false });
    new ResizeObserver(() => this.move(0, 0)).observe(stage);
  }

  get isZoomed() { return this.scale > 1; }

  fit() { this.set(1, 0, 0); }

  // One pixel of the picture on one pixel of the screen.
  actual() { this.set(1, 0, 0); this.by(1 / (this.fitted() * window.devicePixelRatio)); }

  closer() { this.by(STEP); }

  farther() { this.by(1 / STEP); }

  // What is at `x`, `y` (from the middle of the stage) stays there.
  by(factor, x = 0, y = 0) {
    const scale = Math.min(MOST, Math.max(1, this.scale * factor));
    const grown = scale / this.scale;
    this.set(scale, x - (x - this.x) * grown, y - (y - this.y) * grown);
  }

  move(x, y) { this.set(this.scale, this.x + x, this.y + y); }

  set(scale, x, y) {
    const room = (size, shown) => Math.max(0, (shown * scale - size) / 2);
    const { naturalWidth: width, naturalHeight: height } = this.picture;
    const across = room(this.stage.clientWidth, width * this.fitted());
    const down = room(this.stage.clientHeight, height * this.fitted());
    this.scale = scale;
    this.x = Math.min(across, Math.max(-across, x));
    this.y = Math.min(down, Math.max(-down, y));
    for (const [name, value] of [["--zoom", scale], ["--x", `${this.x}px`], ["--y", `${this.y}px`]]) {
      this.picture.style.setProperty(name, value);
    }
    this.stage.classList.toggle("zoomed", this.isZoomed);
  }

  // How large the picture is shown unzoomed: as large as there is room, and no larger than it is.
  fitted() {
    const { naturalWidth: width, naturalHeight: height } = this.picture;
    return Math.min(1, this.stage.clientWidth / (width || 1), this.stage.clientHeight / (height || 1));
  }

  fromMiddle(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.x - box.width / 2, event.clientY - box.y - box.height / 2];
  }

  toggle(event) {
    if (this.isZoomed) return this.fit();
    const [x, y] = this.fromMiddle(event);
    this.by(Math.max(2, 1 / (this.fitted() * window.devicePixelRatio)), x, y);
  }

  turn(event) {
    if (!event.ctrlKey && !this.isFull()) return; // the page scrolls
    event.preventDefault();
    this.by(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)), ...this.fromMiddle(event));
  }

  press(event) {
    if (event.button) return;
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 1) this.start = event;
    if (this.pointers.size === 2) this.start = null; // two fingers are no swipe
    if (this.isZoomed || this.pointers.size === 2) this.stage.setPointerCapture(event.pointerId);
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const [other] = [...this.pointers.values()].filter((one) => one.pointerId !== event.pointerId);
    if (other) {
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      const [x, y] = this.fromMiddle({ clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 });
      this.by(apart(event) / (apart(before) || 1), x, y);
    } else if (this.isZoomed) this.move(event.clientX - before.clientX, event.clientY - before.clientY);
    this.pointers.set(event.pointerId, event);
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    const start = this.start;
    if (this.pointers.size || !start) return;
    this.start = null;
    const [across, down] = [event.clientX - start.clientX, event.clientY - start.clientY];
    if (event.type === "pointercancel" || this.isZoomed || Math.abs(across) < Math.max(SWIPE, 2 * Math.abs(down))) return;
    this.swiped(across < 0 === (document.dir !== "rtl") ? 1 : -1);
  }
}
