import { playsShortly } from './world.form.js';

playsShortly('steady', ['lock-dead', 'stop-at-commit'], 8);
