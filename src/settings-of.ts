import type { Config } from './config.ts';
import { productionOf } from './domain/detection/production.ts';
import type { Settings } from './flows/deps.ts';

/** The part of the config that the flows decide by. */
export function settingsOf(config: Config): Settings {
  return {
    mode: config.mode,
    channels: { ...config.channels, default: config.channels.default ?? '' },
    accounts: config.accounts,
    managementAccount: config.managementAccount,
    rules: { approvers: config.approvers, responders: config.responders, people: config.people },
    approvals: {
      required: config.approvers.required,
      expiryMinutes: config.approvers.expiryMinutes,
      stepUp: config.approvers.stepUp,
    },
    policies: config.policies,
    access: config.access,
    protectedPatterns: config.protected,
    forensics: config.forensics,
    verifyFindings: config.guardduty.verify,
    guardDutyAdministrator: config.guardduty.administrator,
    pivot: config.pivot,
    production: productionOf(config.accounts, config.detections.productionInstances),
    detections: config.detections,
    hubs: config.hubs,
    noise: config.noise,
    crownJewels: config.crownJewels,
    escalation: config.escalation,
  };
}
