import { expect, it } from 'vitest';
import { foldersOf } from '../../platform/folders.ts';

it('each kind of folder is where its XDG variable says', () => {
  const env = { HOME: '/home/ann', XDG_CACHE_HOME: '/fast/cache', XDG_STATE_HOME: '/data/state', XDG_CONFIG_HOME: '/etc/ann' };
  expect(foldersOf(env, 'linux')).toEqual({
    cache: '/fast/cache/coxswain',
    state: '/data/state/coxswain',
    config: '/etc/ann/coxswain',
  });
});

it('a relative or empty XDG variable is ignored, as the specification asks', () => {
  expect(foldersOf({ HOME: '/home/ann', XDG_CACHE_HOME: 'cache', XDG_STATE_HOME: '' }, 'linux')).toEqual({
    cache: '/home/ann/.cache/coxswain',
    state: '/home/ann/.local/state/coxswain',
    config: '/home/ann/.config/coxswain',
  });
});

it('the XDG variables count on a Mac, which has defaults of its own', () => {
  const folders = foldersOf({ HOME: '/Users/ann', XDG_STATE_HOME: '/Volumes/state' }, 'darwin');
  expect(folders.state).toBe('/Volumes/state/coxswain');
  expect(folders.cache).toBe('/Users/ann/Library/Caches/coxswain');
});
