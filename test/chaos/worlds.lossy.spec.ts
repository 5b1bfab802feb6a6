import { playsShortly } from './world.form.js';

playsShortly('lossy', ['failover-lossy', 'crash-unflushed'], 15);
