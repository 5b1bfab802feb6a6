import { playsShortly } from './world.form.js';

playsShortly('clock', ['clock'], 15);
