// The door `nestjs-chronis/alerts`: tells people and programs what has happened, once for all processes.
export { AlertChannel, DeliveryError } from './alert.js';
export type { Alert } from './alert.js';
export { ChronisAlertsModule } from './alerts.module.js';
export type { ChronisAlertsAsyncOptions } from './alerts.module.js';
export type { AlertRule, ChronisAlertsOptions, ChronisAlertsPlace } from './alerts.options.js';
export { slack } from './slack.channel.js';
export type { SlackOptions } from './slack.channel.js';
export { webhook } from './webhook.channel.js';
export type { WebhookOptions } from './webhook.channel.js';
