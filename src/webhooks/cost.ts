/** Money as a sign of abuse: AWS Budgets (text by SNS) and Cost Anomaly Detection (DOMAIN.md 2.10). */
import { z } from 'zod';
import { instantOf } from './instant.ts';
import { type Envelope, factsOf, given, type JsonObject, malformed, type Reading, received } from './parsed-alert.ts';
import { block, list, number, text } from './tolerant.ts';

const Anomaly = z.looseObject({
  accountId: text,
  accountName: text,
  anomalyId: text,
  anomalyStartDate: text,
  anomalyEndDate: text,
  dimensionalValue: text,
  monitorArn: text,
  monitorName: text,
  impact: block({
    maxImpact: number,
    totalImpact: number,
    totalActualSpend: number,
    totalExpectedSpend: number,
    totalImpactPercentage: number,
  }),
  rootCauses: list(
    z.looseObject({ service: text, region: text, linkedAccount: text, linkedAccountName: text, usageType: text }),
  ),
});

/** US dollars; AWS gives a number, no severity. */
function severityOfCost(dollars: number | undefined): number {
  if (dollars === undefined) return 5;
  return dollars >= 1_000 ? 8 : dollars >= 100 ? 5 : 3;
}

function dollars(amount: number | undefined): string | undefined {
  return amount === undefined
    ? undefined
    : `$${amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** `Anomaly Detected`, or the same fields as the `Message` of SNS. */
export function readCostAnomaly(found: JsonObject, envelope?: Envelope): Reading {
  const said = Anomaly.parse(found);
  if (said.anomalyId === undefined) return malformed('the id of the anomaly is missing');
  const { impact, rootCauses } = said;
  const cause = rootCauses[0];
  // A payer account is told of its members: the one that spent counts.
  const accountId = cause?.linkedAccount ?? said.accountId ?? envelope?.account;
  const total = impact?.totalImpact ?? impact?.maxImpact;
  const service = cause?.service ?? said.dimensionalValue;
  const at = instantOf(said.anomalyEndDate) ?? instantOf(said.anomalyStartDate);
  return {
    ok: true,
    alerts: [
      received(
        {
          source: 'cost-anomaly',
          key: [said.anomalyId],
          findingId: said.anomalyId,
          type: 'CostAnomaly',
          title: `Unusual spend${service === undefined ? '' : ` on ${service}`}`,
          severity: severityOfCost(total),
          updatedAt: instantOf(envelope?.time) ?? at,
          ...given({
            accountId,
            region: cause?.region ?? envelope?.region,
            firstSeen: instantOf(said.anomalyStartDate),
            lastSeen: at,
          }),
          resource: { type: 'Service', ...given({ id: service }) },
          facts: factsOf({
            'Spent beyond the usual': dollars(total),
            'Spent in all': dollars(impact?.totalActualSpend),
            'Usual spend': dollars(impact?.totalExpectedSpend),
            'What was used': cause?.usageType,
            Causes: rootCauses.length > 1 ? rootCauses.length : undefined,
            Monitor: said.monitorName,
          }),
          notes: ['costs come a day late: this confirms, it does not warn'],
        },
        found,
      ),
    ],
  };
}

function field(message: string, name: string): string | undefined {
  return new RegExp(`^[ \\t]*${name}[ \\t]*:[ \\t]*(.+?)[ \\t]*$`, 'imu').exec(message)?.[1];
}

function amountOf(words: string | undefined): number | undefined {
  const digits = /-?\d[\d,]*(?:\.\d+)?/.exec(words ?? '')?.[0];
  return digits === undefined ? undefined : Number(digits.replaceAll(',', ''));
}

/** Whether a text is what AWS Budgets sends. */
export function isBudgetText(message: string): boolean {
  return /^[ \t]*Budget Name[ \t]*:/imu.test(message) || /\bAWS Budget Notification\b/i.test(message);
}

/** The text that AWS Budgets publishes; its layout is not documented, so each line is looked for by itself. */
export function readBudget(message: string, sns: { readonly region?: string | undefined } = {}): Reading {
  const name = field(message, 'Budget Name');
  if (name === undefined) return malformed('the name of the budget is missing');
  const kind = field(message, 'Alert Type');
  const threshold = field(message, 'Alert Threshold');
  const limit = field(message, 'Budgeted Amount');
  const actual = field(message, '(?:ACTUAL|FORECASTED) Amount');
  const accountId = /\bAWS Account:?\s+(\d{12})\b/i.exec(message)?.[1];
  const day = /\bNotification\s+(\w+ \d{1,2}, \d{4})/i.exec(message)?.[1];
  const at = day === undefined ? undefined : new Date(`${day} UTC`);
  const updatedAt = at === undefined || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
  const [spent, allowed] = [amountOf(actual), amountOf(limit)];
  const over = spent !== undefined && allowed !== undefined && allowed > 0 ? spent / allowed : undefined;
  const isForecast = /forecast/i.test(kind ?? '');
  return {
    ok: true,
    alerts: [
      received(
        {
          source: 'budgets',
          // A budget starts anew each month: the next one's message is no update of this one's.
          key: [accountId ?? '', name, kind ?? '', threshold ?? '', updatedAt?.slice(0, 7) ?? ''],
          findingId: name,
          type: isForecast ? 'BudgetForecast' : 'BudgetExceeded',
          title: name,
          description: message.slice(0, 4_000),
          severity: isForecast ? 3 : over !== undefined && over >= 2 ? 8 : 5,
          updatedAt,
          ...given({ accountId, region: sns.region, lastSeen: updatedAt }),
          resource: { type: 'Budget', id: name },
          facts: factsOf({
            [isForecast ? 'Forecast' : 'Spent']: actual,
            Budget: limit,
            'Alert threshold': threshold,
            Kind: field(message, 'Budget Type'),
          }),
        },
        message,
      ),
    ],
  };
}
