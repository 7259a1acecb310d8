// What was looked at: a message that is at least half in sight for a second, in an open chat and a visible tab, is read.

const LOOKED = 1000;

export class Sight {
  constructor({ isLooking, readTo, read }) {
    Object.assign(this, { isLooking, readTo, read });
    this.inSight = new Set();
    this.observer = new IntersectionObserver((seen) => this.changed(seen), { threshold: [0, 0.5, 1] });
    this.watch = (element) => element && this.observer.observe(element);
    document.addEventListener("visibilitychange", () => this.look());
  }

  changed(seen) {
    for (const { target, isIntersecting, intersectionRatio, intersectionRect } of seen) {
      const id = Number(target.dataset.id);
      const enough = intersectionRatio >= 0.5 || intersectionRect.height > innerHeight / 4; // taller than the frame
      if (isIntersecting && enough) this.inSight.add(id);
      else this.inSight.delete(id);
    }
    this.look();
  }

  look() {
    clearTimeout(this.timer);
    const id = Math.max(0, ...this.inSight);
    if (!this.isLooking() || id <= this.readTo()) return;
    this.timer = setTimeout(() => {
      if (this.isLooking() && this.inSight.has(id)) this.read(id);
      else this.look();
    }, LOOKED);
  }
}
