import { useEffect, useState } from 'react';

const LONG = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const NEAR = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

/** A moment in the reader's zone; the zone itself is in the title. */
export function Time({ at, relative = false }: { at: number; relative?: boolean }) {
  const date = new Date(at * 1000);
  const now = useNow(relative);
  return (
    <time dateTime={date.toISOString()} title={EXACT.format(date)}>
      {relative ? ago(now - date.getTime()) : LONG.format(date)}
    </time>
  );
}

export function clock(at: number): string {
  return CLOCK.format(new Date(at * 1000));
}

export function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds)} s`;
}

export function bytes(count: number, digits = 1): string {
  if (count >= 1 << 30) return `${(count / (1 << 30)).toFixed(digits + 1)}\u00a0GiB`;
  if (count >= 1 << 20) return `${(count / (1 << 20)).toFixed(digits)}\u00a0MiB`;
  if (count >= 1 << 10) return `${(count / (1 << 10)).toFixed(0)}\u00a0KiB`;
  return `${count} B`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value < 1) return `${value.toFixed(2)}\u00a0ms`;
  return value < 100 ? `${value.toFixed(1)}\u00a0ms` : `${Math.round(value)}\u00a0ms`;
}

function ago(passed: number): string {
  const seconds = Math.round(passed / 1000);
  if (seconds < 60) return NEAR.format(-Math.max(0, seconds), 'second');
  if (seconds < 3600) return NEAR.format(-Math.round(seconds / 60), 'minute');
  if (seconds < 86_400) return NEAR.format(-Math.round(seconds / 3600), 'hour');
  return NEAR.format(-Math.round(seconds / 86_400), 'day');
}

function useNow(ticking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!ticking) return;
    const timer = setInterval(() => setNow(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}
