import { knownOptions } from '../index.js';
import { AlertChannel, type Alert } from './alert.js';
import { checkedUrl, post } from './posting.js';

/** @publicApi */
export interface SlackOptions {
  /** The address of an incoming webhook of Slack, or of what takes the same, such as Mattermost. It is a secret. */
  url: string;
}

/** Posts alerts to a channel of Slack. Throws InvalidOptionError. @publicApi */
export function slack(options: SlackOptions): AlertChannel {
  knownOptions(options, ['url'], 'slack()');
  return new SlackChannel(checkedUrl(options.url, 'url'));
}

class SlackChannel extends AlertChannel {
  constructor(private readonly url: URL) {
    super();
  }

  override get name(): string {
    return `slack of ${this.url.host}`;
  }

  send(alert: Alert, signal: AbortSignal): Promise<void> {
    const body = JSON.stringify({ text: slackText(alert) });
    return post(this.url, body, { 'Content-Type': 'application/json' }, signal);
  }
}

/** With nothing in it that mentions, links or formats. */
export function slackText({ state, title, text, count, rule, instance }: Alert): string {
  const sign = state === 'firing' ? ':red_circle:' : ':large_green_circle:';
  const times = count > 1 ? ` (${count} times)` : '';
  const more = text === title ? [] : ['```', escaped(text).replaceAll('```', "'''"), '```'];
  return [`${sign} *${plain(title)}*${times}`, ...more, `_${plain(rule)} · ${plain(instance)}_`].join('\n');
}

/** As Slack asks for. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Signs of formatting get a zero-width space behind them, so that they are letters. */
function plain(text: string): string {
  return escaped(text).replaceAll(/[*_~`]/g, '$&\u200b');
}
