/**
 * The referee's page of a map, or of a match as a whole: where it stands, what can be decided, and
 * every event, to be corrected.
 * @module referee_page
 */

import { whyNot } from './commands.js';
import { MapDesk, MatchDesk } from './desk.js';
import { outcomeLine } from './dialog.js';
import { h, setAttribute, setText } from './dom.js';
import { eventList } from './event_list.js';
import { summaryText } from './football_words.js';
import { showChips } from './hero.js';
import { NAME_PATTERN, NAME_RULE, referee, setReferee } from './referee_name.js';
import { refereeActions } from './referee_actions.js';
import { mapName, phase, resultWords, teamName } from './words.js';

/**
 * @param {string} match
 * @param {number|undefined} map undefined for the match as a whole
 * @param {(connection: string) => void} onConnection
 * @returns {{node: HTMLElement, close: () => void}}
 */
export function refereePage(match, map, onConnection) {
  let scheduled = 0;
  const schedule = () => {
    scheduled ||= requestAnimationFrame(() => {
      scheduled = 0;
      draw();
    });
  };
  const desk = map ? new MapDesk(match, map, schedule) : new MatchDesk(match, schedule);
  /** Why nothing may be decided from here; undefined until that is known. */
  let refusal;
  const outcome = outcomeLine();
  const tell = (what) => {
    outcome.tell(what);
    who.update();
    schedule();
  };
  const [standing, who, actions, list] = [standingCard(match, map), whoYouAre(), refereeActions(desk, tell), eventList(desk, tell)];
  const denied = h('p', { class: 'denied', hidden: '' });
  const waiting = h('div', { class: 'card waiting' }, h('p', { class: 'quiet' }));
  const deskCard = h('section', { class: 'card desk-card', 'aria-label': 'Decisions' },
    h('div', { class: 'card-head' }, h('h2', {}, 'Decisions'), who.node), denied, actions.node);
  const page = h('div', { class: 'referee-page', hidden: '' }, standing.node, deskCard, list.node, outcome.node);
  const node = h('div', {}, head(match, map), waiting, page);

  function draw() {
    onConnection(desk.connection);
    page.hidden = !desk.state || desk.isEmpty;
    waiting.hidden = !page.hidden;
    if (page.hidden) {
      setText(waiting.firstChild, desk.isEmpty ? nothing(match, map) : 'Connecting …');
      return;
    }
    setAttribute(page, 'data-seq', desk.state.seq);
    const mayAct = refusal === null;
    denied.hidden = !refusal;
    who.node.hidden = actions.node.hidden = !mayAct;
    standing.update(desk.state, desk.what);
    actions.update();
    list.update(mayAct);
    document.title = `Referee · ${teamName(desk.state, 0)} v ${teamName(desk.state, 1)} · Matchwire`;
  }

  desk.open();
  whyNot().then((why) => {
    refusal = why;
    setText(denied, `This page can only be read from here: ${why}.`);
    schedule();
  });
  return {
    node,
    close() {
      cancelAnimationFrame(scheduled);
      desk.close();
    },
  };
}

const nothing = (match, map) => (map
  ? `Map ${map} of ${match} has no events yet. This page opens with the first one.`
  : `Match ${match} has no events yet.`);

function head(match, map) {
  const whole = h('a', { href: `#/${match}/referee` }, 'the match as a whole');
  return h('div', { class: 'page-head' }, h('h1', {}, map ? `Referee · map ${map}` : 'Referee · match'),
    h('span', { class: 'quiet page-links' }, h('a', { href: map ? `#/${match}/${map}` : `#/${match}/series` }, map ? 'Map page' : 'Match page'), map ? whole : null));
}

/** Where it stands, in a few lines. */
function standingCard(match, map) {
  const teams = [0, 1].map((team) => ({ name: h('bdi', { class: 'stand-name' }), score: h('strong', { class: 'stand-score', 'data-score': team }), side: h('span', { class: 'side' }) }));
  const chips = h('div', { class: 'stand-chips' });
  const doing = h('p', { class: 'quiet' });
  const node = h('section', { class: 'card stand-card', 'aria-label': 'Where it stands' },
    h('div', { class: 'stand-teams' }, ...teams.map(({ name, score, side }, team) =>
      h('div', { class: 'stand-team', 'data-team': team }, h('span', { class: 'swatch', 'data-team': team }), name, side, score))),
    h('div', { class: 'stand-state' }, chips, doing));
  return {
    node,
    update(state, what) {
      teams.forEach(({ name, score, side }, team) => {
        const own = state.teams?.[team] ?? {};
        setText(name, teamName(state, team));
        setText(score, own.score ?? 0);
        setText(side, own.side ?? '');
        side.hidden = !own.side;
        setAttribute(side.parentElement, 'data-side', own.side);
        setAttribute(side.parentElement, 'data-won', state.winner === team ? '' : null);
      });
      showChips(chips, state);
      setText(doing, [map ? mapOf(state) : match, doingText(state, what), `event ${state.seq}`].filter(Boolean).join(' · '));
    },
  };
}

const mapOf = (state) => [state.map_name && mapName(state.map_name), state.round > 0 && `round ${state.round}`].filter(Boolean).join(', ');

function doingText(state, what) {
  if (state.status === 'ended') return resultWords(state, what);
  return state.game === 'football' && what === 'match' && state.phase ? summaryText(state) : phase(state);
}

/** The name under which one decides, and how to change it. */
function whoYouAre() {
  const name = h('b');
  const input = h('input', { maxlength: 40, pattern: NAME_PATTERN, title: NAME_RULE, required: '', 'aria-label': 'Your name', autocapitalize: 'none', spellcheck: 'false' });
  const form = h('form', { class: 'who-form', hidden: '' }, input, h('button', { class: 'button small' }, 'Keep'));
  const change = h('button', { type: 'button', class: 'link' });
  const shown = h('span', {}, name, ' ', change);
  const node = h('div', { class: 'who-you-are quiet' }, shown, form);
  const update = () => {
    setText(name, referee() ? `as ${referee()}` : '');
    setText(change, referee() ? 'Change' : 'Say who you are');
  };
  change.addEventListener('click', () => {
    shown.hidden = true;
    form.hidden = false;
    input.value = referee();
    input.focus();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (!setReferee(input.value.trim())) return;
    shown.hidden = false;
    form.hidden = true;
    update();
    change.focus();
  });
  update();
  return { node, update };
}
