/**
 * A form for the data of an event, made from the JSON Schema of its type: people as a choice of those
 * who are known, choices as choices, numbers within their bounds. What has no field of its own is
 * edited as JSON.
 * @module schema_form
 */

import { h, setAttribute } from './dom.js';
import { playerName, teamName } from './words.js';

/** Fields that name a person, where the value does not say so itself. */
const PEOPLE = /^(player|killer|victim|assist|assister|attacker|scorer|keeper|goalkeeper|fouled|taker|on|off)$/;

const title = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');

/**
 * A form that starts from data.
 * @param {Object} schema of an object
 * @param {Object} data
 * @param {Object} state where people and teams are taken from
 * @returns {{node: HTMLFieldSetElement, read: () => Object}} `read` throws an Error that says which field
 *   holds what it cannot; a field with another value than at first has `data-changed`
 */
export function schemaForm(schema, data, state) {
  const root = objectField({ schema, value: data, state, defs: schema.$defs ?? {} });
  const node = h('fieldset', { class: 'plain schema-form' }, root.node);
  const mark = () => root.mark();
  node.addEventListener('input', mark);
  return { node, read: () => root.read() ?? {} };
}

/** Without references, and without the null that only says that a field may be left out. */
function plain(schema, defs) {
  let found = schema;
  for (let depth = 0; found?.$ref && depth < 8; depth += 1) {
    found = { ...defs[found.$ref.replace('#/$defs/', '')], ...(found.description && { description: found.description }) };
  }
  const some = found?.anyOf?.filter(({ type }) => type !== 'null');
  if (some?.length === 1) return { ...plain(some[0], defs), description: found.description };
  if (Array.isArray(found?.type)) return { ...found, type: found.type.find((type) => type !== 'null') };
  return found ?? {};
}

function objectField({ schema, value = {}, state, defs, mayBeMissing = false }) {
  const required = new Set(mayBeMissing ? [] : schema.required ?? []);
  const names = [...new Set([...Object.keys(schema.properties ?? {}), ...Object.keys(value)])];
  const fields = names.map((name) => [name, oneField({
    name, schema: plain(schema.properties?.[name], defs), value: value[name], isRequired: required.has(name), state, defs,
  })]);
  return {
    node: h('div', { class: 'schema-fields' }, ...fields.map(([, { node }]) => node)),
    read() {
      const read = fields.map(([name, field]) => [name, field.read()]).filter(([, said]) => said !== undefined);
      return read.length > 0 ? Object.fromEntries(read) : undefined;
    },
    mark: () => fields.forEach(([, { mark }]) => mark()),
  };
}

/** One field, by what its schema says that it holds. */
function oneField(spec) {
  const { name, schema, value, state } = spec;
  const options = choices(spec);
  if (options) return selectField(spec, options);
  if (schema.type === 'boolean') return checkField(spec);
  if (schema.type === 'integer' || schema.type === 'number') return numberField(spec);
  if (schema.type === 'string' && typeof (value ?? '') === 'string') return textField(spec);
  if (schema.type === 'object' && schema.properties && isFlat(schema)) {
    const inner = objectField({ ...spec, mayBeMissing: value === undefined && !spec.isRequired });
    const node = h('fieldset', { class: 'choice nested' }, h('legend', {}, title(name)), inner.node);
    return { ...inner, node };
  }
  return jsonField(spec, state);
}

const isFlat = ({ properties }) => Object.values(properties).every(({ type }) => [type].flat().some((kind) => kind !== 'object' && kind !== 'array'));

/** What one may choose from: value and label of each; null for a field that is written. */
function choices({ name, schema, value, state }) {
  const constants = schema.enum ?? schema.oneOf?.map((one) => one.const);
  if (constants?.every((constant) => constant !== undefined)) {
    return constants.map((constant) => [constant, title(String(constant))]);
  }
  if (schema.type === 'integer' && schema.minimum === 0 && schema.maximum === 1) {
    return [0, 1].map((team) => [team, teamName(state, team)]);
  }
  const isPerson = schema.type === 'string' && (state.players?.[value] || PEOPLE.test(name));
  return isPerson ? people(state, value) : null;
}

function people(state, own) {
  const known = Object.entries(state.players ?? {}).map(([id, { team }]) => {
    const name = playerName(state, id);
    return { id, team: team ?? 2, label: team === undefined ? name : `${name} · ${teamName(state, team)}` };
  });
  known.sort((a, b) => a.team - b.team || a.label.localeCompare(b.label));
  const options = known.map(({ id, label }) => [id, label]);
  if (own !== undefined && !state.players?.[own]) options.push([own, `${own} (unknown)`]);
  return options;
}

/** A field in its frame: its label, what it is for, and whether it holds something else than at first. */
function framed({ name, schema, isRequired }, control, read) {
  const node = h('label', { class: 'field' }, h('span', {}, title(name), isRequired || schema.type === 'boolean' ? null : h('small', { class: 'quiet' }, ' optional')), control,
    schema.description ? h('small', { class: 'quiet' }, schema.description.replaceAll('`', '')) : null);
  const saying = () => {
    try {
      return JSON.stringify(read()) ?? '';
    } catch {
      return null;
    }
  };
  const before = saying();
  return { node, read, mark: () => setAttribute(node, 'data-changed', saying() === before ? null : '') };
}

function selectField(spec, options) {
  const { value, isRequired } = spec;
  const select = h('select', { required: isRequired ? '' : null },
    value === undefined || !isRequired ? h('option', { value: '' }, '–') : null,
    ...options.map(([own, label]) => h('option', { value: JSON.stringify(own), selected: own === value ? '' : null }, label)));
  return framed(spec, select, () => (select.value === '' ? undefined : JSON.parse(select.value)));
}

function checkField(spec) {
  const input = h('input', { type: 'checkbox', checked: spec.value ? '' : null });
  const field = framed(spec, input, () => input.checked || (spec.isRequired || spec.value !== undefined ? false : undefined));
  field.node.classList.add('check');
  return field;
}

function numberField(spec) {
  const { name, schema, value, isRequired } = spec;
  const step = schema.type === 'integer' ? 1 : 'any';
  const input = h('input', { type: 'number', step, min: schema.minimum, max: schema.maximum, value, required: isRequired ? '' : null });
  return framed(spec, input, () => {
    if (input.value === '' && !input.validity.badInput) return undefined;
    if (!input.validity.valid) throw new Error(`${title(name)}: ${input.validationMessage}`);
    return Number(input.value);
  });
}

function textField(spec) {
  const { schema, value, isRequired } = spec;
  const input = h('input', { maxlength: schema.maxLength, pattern: schema.pattern, value, required: isRequired ? '' : null, spellcheck: 'false' });
  return framed(spec, input, () => (input.value === '' && (!isRequired || value === undefined) ? undefined : input.value));
}

function jsonField(spec) {
  const { name, value, isRequired } = spec;
  const text = value === undefined ? '' : JSON.stringify(value);
  const area = h('textarea', { rows: Math.min(6, 1 + Math.ceil(text.length / 60)), class: 'code', spellcheck: 'false', required: isRequired ? '' : null });
  area.value = text;
  return framed(spec, area, () => (area.value.trim() === '' ? undefined : parse(area.value, title(name))));
}

/**
 * Reads JSON that a person wrote.
 * @param {string} text
 * @param {string} what it is, for the error
 * @returns {*}
 */
export function parse(text, what) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${what} must be JSON: ${error.message}`);
  }
}
