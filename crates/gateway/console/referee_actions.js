/**
 * What a referee decides about a map or a match as it stands: pause, forfeit, abandonment, result.
 * @module referee_actions
 */

import { without } from './correction_dialogs.js';
import { choice, field, openDialog, reasonField } from './dialog.js';
import { h, setText } from './dom.js';
import { decide, scoreWords } from './ruling.js';
import { resultWords, teamName } from './words.js';

const PAUSES = [['technical', 'Technical pause'], ['timeout', 'Time-out'], ['half_time', 'Half-time'], ['other', 'Other']];

const FORFEITS = [['gave_up', 'It gives up'], ['disqualified', 'It is disqualified'], ['no_show', 'It is not there']];

/**
 * The buttons.
 * @param {Object} desk
 * @param {(outcome: Object) => void} tell
 * @returns {{node: HTMLElement, update: () => void}}
 */
export function refereeActions(desk, tell) {
  const button = (label, act, kind = '') => h('button', { type: 'button', class: `button ${kind}`, onclick: () => act(desk, tell) }, label);
  const buttons = {
    pause: button('Pause …', askPause),
    resume: button('Resume', askResume),
    result: button('Set result …', askResult),
    forfeit: button('Forfeit …', askForfeit),
    abandon: button('Abandon …', askAbandon),
    cancel: button('Cancel match …', askCancel),
    confirm: button('Confirm result …', askConfirm, 'primary'),
  };
  const hint = h('p', { class: 'quiet' });
  const node = h('div', { class: 'actions' }, h('div', { class: 'action-buttons' }, ...Object.values(buttons)), hint);
  return {
    node,
    update() {
      const { status, pause, ruling } = desk.state;
      const isOver = status === 'ended';
      const focused = Object.values(buttons).find((one) => one === document.activeElement);
      buttons.pause.hidden = isOver || status === 'scheduled' || Boolean(pause);
      buttons.resume.hidden = isOver || !pause;
      buttons.cancel.hidden = !desk.isWhole || isOver;
      buttons.confirm.disabled = !isOver || Boolean(ruling?.confirmed);
      if (focused?.hidden || focused?.disabled) Object.values(buttons).find((one) => !one.hidden && !one.disabled)?.focus();
      setText(hint, hintFor(isOver, ruling, desk.what));
    },
  };
}

function hintFor(isOver, ruling, what) {
  if (!isOver) return `A result can be confirmed once the ${what} is over.`;
  return ruling?.confirmed ? 'The result is confirmed. A correction opens it again.' : 'The result is not confirmed yet.';
}

/**
 * What sends a decision about the head of the stream as it is now: one that is sent again, since its
 * answer was lost, is about the same head.
 */
function ruler(desk, tell) {
  const about = desk.state.seq;
  return async (type, data, done) => tell(await decide(desk, { type, about, data: without(data) }, done));
}

function askPause(desk, tell) {
  const rule = ruler(desk, tell);
  const { teams = [] } = desk.state;
  const sides = teams.map((team, index) => [team.side, teamName(desk.state, index)]).filter(([side]) => side);
  const side = sides.length === 2 ? choice('Called by', 'side', [['', 'Nobody'], ...sides], '') : null;
  openDialog({
    title: 'Pause play',
    body: [choice('Why', 'reason', PAUSES, 'technical'), side],
    action: 'Pause',
    send: (said) => rule('match.paused', { reason: said('reason'), side: said('side') }, 'Play is paused'),
  });
}

function askResume(desk, tell) {
  const rule = ruler(desk, tell);
  openDialog({
    title: 'Resume play',
    body: [h('p', {}, 'Play goes on from here.')],
    action: 'Resume',
    send: () => rule('match.resumed', {}, 'Play goes on'),
  });
}

function askForfeit(desk, tell) {
  const rule = ruler(desk, tell);
  const { state, what } = desk;
  const names = [0, 1].map((team) => teamName(state, team));
  const loser = choice('Who forfeits', 'team', names.map((name, team) => [String(team), name]));
  const chosen = () => Number(loser.querySelector('input:checked')?.value ?? 0);
  openDialog({
    title: `Forfeit the ${what}`,
    body: [loser, choice('How', 'how', FORFEITS, 'gave_up'), h('p', {}, `The ${what} is over, and the other team wins it. The score stays as it is.`), reasonField()],
    action: 'Forfeit',
    isGrave: true,
    again: () => `Yes: ${names[chosen()]} forfeit, ${names[1 - chosen()]} win`,
    send: (said) => rule('match.forfeited', { team: Number(said('team')), how: said('how'), reason: said('reason') }, `${names[Number(said('team'))]} forfeit`),
  });
}

function askAbandon(desk, tell) {
  const rule = ruler(desk, tell);
  openDialog({
    title: `Abandon the ${desk.what}`,
    body: [h('p', {}, `Play ends for good, and nobody wins the ${desk.what}.`), reasonField()],
    action: 'Abandon',
    isGrave: true,
    again: () => 'Yes: play ends without a winner',
    send: (said) => rule('match.abandoned', { reason: said('reason') }, `The ${desk.what} is abandoned`),
  });
}

function askCancel(desk, tell) {
  const rule = ruler(desk, tell);
  openDialog({
    title: 'Cancel the match',
    body: [h('p', {}, 'The match is not played. To schedule it again brings it back.'), reasonField()],
    action: 'Cancel the match',
    isGrave: true,
    again: () => 'Yes: the match is not played',
    send: (said) => rule('match.cancelled', { reason: said('reason') }, 'The match is cancelled'),
  });
}

function askResult(desk, tell) {
  const rule = ruler(desk, tell);
  const { state, what } = desk;
  const names = [0, 1].map((team) => teamName(state, team));
  const scores = names.map((name, team) => field(name, { type: 'number', name: `score${team}`, min: 0, max: 65535, step: 1, required: '', value: state.teams?.[team]?.score ?? 0 }));
  openDialog({
    title: 'Set the result',
    body: [
      h('p', {}, `The ${what} is over with this result, whatever was played.`),
      h('div', { class: 'score-fields' }, ...scores),
      choice('Winner', 'winner', [['', 'By the score'], ...names.map((name, team) => [String(team), name])], ''),
      reasonField(),
    ],
    action: 'Set result',
    send(said) {
      const winner = said('winner');
      const data = {
        seq: state.seq, score: [Number(said('score0')), Number(said('score1'))],
        winner: winner === undefined ? undefined : Number(winner), reason: said('reason'),
      };
      return rule('result.amended', data, 'The result is set');
    },
  });
}

function askConfirm(desk, tell) {
  const rule = ruler(desk, tell);
  const { state, what } = desk;
  openDialog({
    title: 'Confirm the result',
    body: [
      h('p', { class: 'result' }, h('bdi', {}, scoreWords(state))),
      h('p', {}, h('bdi', {}, resultWords(state, what)), `, as of event ${state.seq}. A later correction opens the result again.`),
    ],
    action: 'Confirm',
    // What is confirmed is what one saw, also when an event has come since.
    send: () => rule('result.confirmed', { seq: state.seq }, `The result is confirmed as of event ${state.seq}`),
  });
}
