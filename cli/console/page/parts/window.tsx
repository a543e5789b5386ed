/**
 * A long list of rows of one height, of which only those on the screen are in the document. It scrolls by itself, and by keyboard:
 * arrows, Page Up and Down, Home and End move the current row, which stays in the document.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

interface WindowProps<T> {
  readonly items: readonly T[];
  readonly nameOf: (item: T) => string;
  readonly rowHeight: number;
  readonly label: string;
  readonly current: string | null;
  readonly onCurrent: (name: string) => void;
  /** For keys that the list does not handle itself. */
  readonly onKey?: (event: KeyboardEvent, item: T) => void;
  readonly children: (item: T, isCurrent: boolean) => ComponentChildren;
}

/** Rows above and below those on the screen, so that a quick scroll shows no gap. */
const spare = 6;

export function Windowed<T>({ items, nameOf, rowHeight, label, current, onCurrent, onKey, children }: WindowProps<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  useLayoutEffect(() => {
    const seen = box.current!;
    const measure = () => setHeight(seen.clientHeight);
    const watching = new ResizeObserver(measure);
    watching.observe(seen);
    measure();
    return () => watching.disconnect();
  }, []);
  const at = current === null ? -1 : items.findIndex((item) => nameOf(item) === current);
  const first = Math.max(0, Math.floor(top / rowHeight) - spare);
  const last = Math.min(items.length, Math.ceil((top + height) / rowHeight) + spare);
  useEffect(() => {
    const seen = box.current!;
    if (at < 0 || !seen.contains(document.activeElement)) return;
    const y = at * rowHeight;
    if (y < seen.scrollTop) seen.scrollTop = y;
    else if (y + rowHeight > seen.scrollTop + seen.clientHeight) seen.scrollTop = y + rowHeight - seen.clientHeight;
  }, [at, rowHeight]);
  const move = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: Number.NEGATIVE_INFINITY,
      End: Number.POSITIVE_INFINITY,
    };
    const step = steps[event.key];
    if (event.target !== box.current) return;
    if (step === undefined) {
      const item = items[at];
      if (item !== undefined) onKey?.(event, item);
      return;
    }
    event.preventDefault();
    const next = items[Math.max(0, Math.min(items.length - 1, at < 0 ? 0 : at + step))];
    if (next !== undefined) onCurrent(nameOf(next));
  };
  const isShown = at >= first && at < last;
  const rows = items.slice(first, last).map((item, index) => ({ item, index: first + index }));
  if (at >= 0 && !isShown) rows.push({ item: items[at]!, index: at });
  return (
    <div
      ref={box}
      class="window"
      style={{ height: `min(62vh, ${items.length * rowHeight + 2}px)` }}
      role="tree"
      aria-label={label}
      tabIndex={0}
      aria-activedescendant={at < 0 ? undefined : rowId(items[at]!, nameOf)}
      onScroll={({ currentTarget }) => setTop(currentTarget.scrollTop)}
      onKeyDown={move}
    >
      <div class="window-all" role="presentation" style={{ height: `${items.length * rowHeight}px` }}>
        {rows.map(({ item, index }) => (
          <div
            key={nameOf(item)}
            class="window-row"
            role="presentation"
            style={{ transform: `translateY(${index * rowHeight}px)`, height: `${rowHeight}px` }}
          >
            {children(item, index === at)}
          </div>
        ))}
      </div>
    </div>
  );
}

export const rowId = <T,>(item: T, nameOf: (item: T) => string): string => `row-${nameOf(item).replace(/[^\w-]/g, '_')}`;
