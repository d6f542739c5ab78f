/** What an alert says happened, in one plain sentence without any text from AWS or its callers, whatever product raised it. */
import type { Alert, AlertSource } from '../contracts/alert.ts';
import { isKnownFindingType, sentenceOfType } from './finding-types.ts';
import { inert } from './inert.ts';
import { isWatchedCall, sentenceOfCall } from './watched-calls.ts';

const sources: Readonly<Record<AlertSource, string>> = {
  guardduty: 'GuardDuty',
  'security-hub': 'Security Hub',
  cloudtrail: 'CloudTrail',
  health: 'AWS Health',
  cloudwatch: 'CloudWatch',
  budgets: 'AWS Budgets',
  'cost-anomaly': 'Cost Anomaly Detection',
  config: 'AWS Config',
  ec2: 'EC2',
  detection: 'Detection',
  report: 'Report',
  other: 'Alert',
};

/** The product that raised it: `GuardDuty`, `AWS Health`. */
export function sourceName({ source }: Alert): string {
  return sources[source];
}

/** A GuardDuty finding, native or as Security Hub passes it on. */
export function isGuardDuty({ source, copyOf }: Alert): boolean {
  return source === 'guardduty' || copyOf === 'guardduty';
}

/** The product's own title is shown where the sentence says less than it. */
export function needsTitle(alert: Alert): boolean {
  if (isGuardDuty(alert)) return !isKnownFindingType(alert.type);
  return !['cloudtrail', 'ec2', 'detection'].includes(alert.source);
}

function has(alert: Alert, label: string): boolean {
  return alert.facts?.some((fact) => fact.label === label) ?? false;
}

function securityHub(alert: Alert): string {
  const [namespace] = alert.type.split('/');
  if (has(alert, 'Check')) {
    if (alert.undecided === true) return 'A security check could not be made.';
    return alert.resolved === true ? 'A security check passes.' : 'A security check of Security Hub failed.';
  }
  if (has(alert, 'Vulnerability') || /vulnerabilit/i.test(alert.type)) return 'A known vulnerability was found.';
  if (namespace === 'Sensitive Data Identifications') return 'Sensitive data was found where it may not belong.';
  if (namespace === 'TTPs') return 'Security Hub passes on signs of an attack.';
  if (namespace === 'Effects') return 'Security Hub passes on what looks like the effect of an attack.';
  if (namespace === 'Unusual Behaviors') return 'Security Hub passes on unusual behaviour.';
  if (namespace === 'Software and Configuration Checks') return 'A security check found something.';
  return 'Security Hub passes on a finding of another product.';
}

function health(alert: Alert): string {
  if (/CREDENTIALS_EXPOSED/.test(alert.type)) return 'AWS found an access key of this account in public.';
  if (/CREDENTIALS_COMPROMISE|IAM_QUARANTINE/.test(alert.type))
    return 'AWS suspects that credentials of this account were stolen.';
  if (/ABUSE/.test(alert.type)) return 'AWS received an abuse report about this account.';
  const category = alert.facts?.find((fact) => fact.label === 'Category')?.value;
  if (category === 'scheduledChange') return 'AWS announces a change to resources of this account.';
  if (category === 'issue') return 'AWS reports a problem with a service that this account uses.';
  if (category === 'investigation') return 'AWS is looking into a possible problem with a service.';
  return 'AWS has a message for this account.';
}

const alarmStates: Readonly<Record<string, string>> = {
  ALARM: 'An alarm fires.',
  OK: 'An alarm is OK again.',
  INSUFFICIENT_DATA: 'An alarm has too little data to tell.',
};

const instanceStates: Readonly<Record<string, string>> = {
  pending: 'An EC2 instance is starting.',
  running: 'An EC2 instance runs.',
  stopping: 'An EC2 instance is stopping.',
  stopped: 'An EC2 instance was stopped.',
  'shutting-down': 'An EC2 instance is being terminated.',
  terminated: 'An EC2 instance was terminated.',
};

/** The sentence; never text from outside. */
export function sentenceOfAlert(alert: Alert): string {
  if (isGuardDuty(alert)) return sentenceOfType(alert.type, alert.resourceRole);
  switch (alert.source) {
    case 'security-hub':
      return securityHub(alert);
    case 'cloudtrail':
      if (/^Api\w*Insight$/.test(alert.type))
        return alert.type.includes('Error')
          ? 'CloudTrail Insights saw an unusual rate of refused or failed calls.'
          : 'CloudTrail Insights saw an unusual rate of calls.';
      return sentenceOfCall(alert.type, alert.api?.errorCode !== undefined, alert.actor.userType === 'Root');
    case 'health':
      return health(alert);
    case 'cloudwatch':
      return Object.hasOwn(alarmStates, alert.type) ? (alarmStates[alert.type] ?? '') : 'An alarm changed its state.';
    case 'budgets':
      return alert.type === 'BudgetForecast'
        ? 'Spending is forecast to pass the alert threshold of a budget.'
        : 'Spending passed the alert threshold of a budget.';
    case 'cost-anomaly':
      return 'Spending is unusually high.';
    case 'config':
      return alert.resolved === true
        ? 'A resource keeps a rule of AWS Config again.'
        : 'A resource breaks a rule of AWS Config.';
    case 'ec2':
      return Object.hasOwn(instanceStates, alert.type)
        ? (instanceStates[alert.type] ?? '')
        : 'An EC2 instance changed its state.';
    case 'detection':
      // The rule's own words: ours, or those of a rule file that the operator installed.
      if (alert.actionType === 'AWS_API_CALL' && isWatchedCall(alert.api?.name ?? ''))
        return sentenceOfCall(
          alert.api?.name ?? '',
          alert.api?.errorCode !== undefined,
          alert.actor.userType === 'Root',
        );
      return `${inert(alert.title, 160).replace(/[.\s]+$/, '')}.`;
    case 'report':
      return 'Somebody reported this.';
    default:
      return 'Another tool raised an alert.';
  }
}
