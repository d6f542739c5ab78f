/** What the rules cover, as a page and as a layer for the ATT&CK Navigator. Made from detections/rules. */
import { catalogue } from '../../detections/index.ts';
import { coverageText, navigatorLayer } from '../../src/domain/sigma/rule-report.ts';
import { generatedBy } from './markdown.ts';

/** docs/reference/attack-coverage.md */
export function coveragePage(): string {
  return `${generatedBy('detections/rules')}
# ATT&CK coverage

What our detection rules cover, by tactic and technique, as the rules are tagged: ATT&CK v18, and the ids and tactics of v19 where
they replace older ones. A technique that stands here has at least one rule; that does not mean that all ways of it are seen. With
your own rules: \`firebreak rules coverage\`. For the ATT&CK Navigator: [attack-layer.json](attack-layer.json) (open it there as a layer).

${coverageText(catalogue().rules)}`;
}

/** docs/reference/attack-layer.json */
export function attackLayer(): string {
  return `${JSON.stringify(navigatorLayer(catalogue().rules), undefined, 2)}\n`;
}
