import { playsShortly } from './world.form.js';

playsShortly('failover', ['failover'], 10);
