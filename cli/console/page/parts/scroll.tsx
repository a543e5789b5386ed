/** A part of a page that scrolls by itself, also by keyboard. */
import type { ComponentChildren } from 'preact';

export const Scroll = ({ label, children }: { label: string; children: ComponentChildren }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: without a place in the order of tabs nobody scrolls it by keyboard.
  <section class="scroll" aria-label={label} tabIndex={0}>
    {children}
  </section>
);
