import type { ScheduleErrorReason } from '../model/errors.js';
import type { FieldSpec } from './cron.field.js';
import { nearestName } from '../model/nearest.name.js';
import { refuse, shown } from './refuse.js';

/** The text of one field, or of a part of it, that knows where in the whole input it stands. */
export class FieldText {
  constructor(
    readonly text: string,
    /** Offset in `input`. */
    readonly position: number,
    readonly spec: FieldSpec,
    /** All that was given, for the error. */
    readonly input: string,
  ) {}

  part(from: number, to = this.text.length): FieldText {
    return new FieldText(this.text.slice(from, to), this.position + from, this.spec, this.input);
  }

  /** The pieces between the commas. */
  items(): FieldText[] {
    const items: FieldText[] = [];
    let from = 0;
    for (let at = 0; at <= this.text.length; at++) {
      if (at < this.text.length && this.text[at] !== ',') continue;
      const item = this.part(from, at);
      items.push(this.spec.words ? item.trimmed() : item);
      from = at + 1;
    }
    return items;
  }

  trimmed(): FieldText {
    const from = /^[ \t]*/.exec(this.text)![0].length;
    const to = this.text.length - /[ \t]*$/.exec(this.text.slice(from))![0].length;
    return this.part(from, to);
  }

  /** The number or name that this text is, within the bounds of the field. */
  value(): number {
    const { text, spec } = this;
    if (/^[0-9]+$/.test(text)) {
      const value = Number(text);
      return value >= spec.min && value <= spec.max ? value : this.outOfRange();
    }
    const named = spec.names?.get(text.toUpperCase());
    return named ?? this.notAValue();
  }

  outOfRange(): never {
    const { spec } = this;
    return this.refuse(
      'out-of-range',
      `is not ${article(spec.name)}`,
      `It must be ${spec.min} to ${spec.max}.`,
    );
  }

  private notAValue(): never {
    const { text, spec } = this;
    if (/^-[0-9]+$/.test(text)) this.outOfRange();
    if (text === '') this.refuse('bad-name', 'has a range without an end');
    const names = spec.names ? [...spec.names.keys()] : [];
    const near = names.find((name) => text.toUpperCase().startsWith(name)) ?? nearestName(text, names);
    const values = `${spec.min} to ${spec.max}`;
    const list = names.length > 0 ? `${values} or ${names[0]} to ${names.at(-1)}` : values;
    return this.refuse(
      'bad-name',
      `is not ${article(spec.name)}`,
      near ? `Did you mean "${near}"?` : `It must be ${list}.`,
    );
  }

  refuse(reason: ScheduleErrorReason, problem: string, hint: string | null = null): never {
    const { input, spec, position } = this;
    const whole = spec.words ? `${spec.name} "${shown(input)}"` : `"${shown(input)}"`;
    const culprit = this.text === '' ? `the ${spec.name}` : `"${shown(this.text)}"`;
    return refuse(input, reason, `Cron ${whole}: ${culprit} ${problem}.`, {
      field: spec.name,
      position,
      hint,
    });
  }
}

function article(name: string): string {
  return `${name === 'hour' ? 'an' : 'a'} ${name}`;
}
