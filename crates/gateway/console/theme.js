/**
 * Light or dark: as the system says, or as the person chose here.
 * @module theme
 */

import { h, setAttribute } from './dom.js';
import { icon } from './icons.js';

const KEY = 'matchwire.theme';
const THEMES = { auto: ['auto', 'as the system'], dark: ['moon', 'dark'], light: ['sun', 'light'] };

/** A browser may refuse storage; the choice then lasts as long as the page. */
function stored() {
  try {
    const theme = localStorage.getItem(KEY);
    return theme in THEMES ? theme : 'auto';
  } catch {
    return 'auto';
  }
}

function store(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Not kept, still shown.
  }
}

/**
 * The button that goes through the themes.
 * @returns {HTMLElement}
 */
export function themeButton() {
  let theme = stored();
  const button = h('button', { type: 'button', class: 'icon-button' });
  const show = () => {
    const [name, words] = THEMES[theme];
    setAttribute(document.documentElement, 'data-theme', theme === 'auto' ? null : theme);
    button.replaceChildren(icon(name));
    setAttribute(button, 'aria-label', `Colours: ${words}. Change`);
    setAttribute(button, 'title', `Colours: ${words}`);
  };
  button.addEventListener('click', () => {
    const names = Object.keys(THEMES);
    theme = names[(names.indexOf(theme) + 1) % names.length];
    store(theme);
    show();
  });
  show();
  return button;
}
