import { afterEach, beforeEach, describe, it } from 'vitest';
import { end } from '../support/operations.ts';
import { comesTooLate, type Overtaken, overtaken, type Race, raced } from '../support/overtaken.ts';
import {
  a,
  beginDrill,
  deploy,
  leaveOut,
  opens,
  reasserts,
  restore,
  rotates,
  type Table,
  table,
  takeBackup,
  w,
} from '../support/restored.ts';

let late: Overtaken;
beforeEach(beginDrill);
afterEach(() => end(w));

/** The restored table, in which one write comes too late. */
const restored = (options = {}) => {
  restore(options);
  late = overtaken(table);
  deploy({ ...table, ...late } as Table);
};
const since = async () => {
  takeBackup();
  await rotates();
  restored();
};
const takesOver = () => reasserts({ from: a.name });
const meta = /^KEY#.* META$/;
const gone = { by: 'somebody else' };

const races: Readonly<Record<string, Race>> = {
  'what happened since the backup': {
    before: since,
    work: takesOver,
    item: meta,
    sets: 'audit',
    fields: { 'audit.seq': 90, fence: 90, pendingCount: 90 },
  },
  'a line of what happened since': { before: since, work: takesOver, item: /^KEY#.* AUD#/, exists: false, fields: gone },
  'an item that is only there': { before: since, work: takesOver, item: /^KEY#.* (?:DEST|OP|ADOPT)#/, exists: false, fields: gone },
  'the key as it is there': {
    before: since,
    work: takesOver,
    item: meta,
    sets: 'takenOver',
    fields: { 'audit.seq': 90, fence: 90, pendingCount: 90 },
  },
  'a key that is only there': {
    before: async () => {
      takeBackup();
      leaveOut('KEY#');
      restored();
    },
    work: takesOver,
    item: meta,
    exists: false,
    fields: gone,
  },
  'what the provider says': {
    before: async () => {
      takeBackup();
      restored();
    },
    work: reasserts,
    item: meta,
    sets: 'reasserting',
    fields: { fence: 90 },
  },
  'a death that is half proven': {
    before: async () => {
      takeBackup();
      await rotates();
      restored({ formerIsReadable: false });
    },
    work: reasserts,
    item: meta,
    sets: 'pendingCount',
    without: 'reasserting',
    fields: { fence: 90 },
  },
  'a fingerprint that was lost': {
    before: async () => {
      takeBackup();
      leaveOut('FP#');
      restored();
    },
    work: reasserts,
    item: /^FP#/,
    exists: false,
    fields: gone,
  },
  'the opening of the table': {
    before: async () => {
      takeBackup();
      restored();
      await reasserts();
    },
    work: opens,
    item: /^SCHEMA/,
    fields: { table: 'another' },
  },
};

describe('row 73: on a restored table, when somebody else was faster,', () => {
  it.each(raced(races))('$name is refused: by $field', ({ race, field }) => comesTooLate(() => late, race, field));
});
