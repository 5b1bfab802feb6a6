import { storyOf, type Scenario } from '../language/scenario.js';
import { Stage } from './stage.js';
import type { World } from './world.js';

/** The scenarios that were played, with what became of them. */
export class Table {
  private readonly rows: string[] = [];

  constructor(private readonly where: string) {}

  async play(scenario: Scenario, world: World): Promise<void> {
    const row = (verdict: string): string => `${scenario.name}\n    ${storyOf(scenario)}\n    ${verdict}`;
    try {
      const slowestMs = await Stage.play(scenario, world);
      this.rows.push(row(`as expected, in force after ${(slowestMs / 1_000).toFixed(1)} s at most`));
    } catch (error) {
      this.rows.push(row('NOT AS EXPECTED'));
      throw error;
    }
  }

  print(): void {
    console.log(`${this.rows.length} scenarios on ${this.where}\n${this.rows.join('\n')}`);
  }
}
