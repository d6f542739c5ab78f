/** Techniques about logs, detection and alarms being silenced (DOMAIN.md 8.1 and 8.2). */
import { row } from './technique-row.ts';

/** Columns: services, event names, technique ids, tactics, what it means, weight (1 noise to 5 hardly ever innocent), narrowing. */
export const evasionTechniques = [
  row('cloudtrail', 'DeleteTrail StopLogging', 'T1562.008', 'Defense Evasion', 'switched the audit log off', 5),
  row(
    'cloudtrail',
    'PutEventSelectors UpdateTrail DeleteEventDataStore',
    'T1562.008',
    'Defense Evasion',
    'changed what the audit log records',
    4,
  ),
  row('cloudtrail', 'LookupEvents', 'T1654', 'Discovery', 'looked into the audit log', 2),
  row('guardduty', 'DeleteDetector', 'T1562.001', 'Defense Evasion', 'switched threat detection off', 5),
  row(
    'guardduty',
    'UpdateDetector DisassociateFromAdministratorAccount DisassociateFromMasterAccount DisassociateMembers DeleteMembers StopMonitoringMembers CreateFilter CreateIPSet UpdateIPSet DeletePublishingDestination',
    'T1562.001',
    'Defense Evasion',
    'weakened threat detection',
    4,
  ),
  row('monitoring', 'DeleteAlarms DisableAlarmActions', 'T1562.001', 'Defense Evasion', 'deleted alarms', 4),
  row('logs', 'DeleteLogGroup DeleteLogStream', 'T1562.008 T1070', 'Defense Evasion', 'deleted logs', 4),
  row(
    'events',
    'DeleteRule DisableRule RemoveTargets',
    'T1562.001',
    'Defense Evasion',
    'switched off a rule that reacts to events',
    4,
  ),
  row(
    'config',
    'DeleteConfigRule StopConfigurationRecorder DeleteConfigurationRecorder DeleteDeliveryChannel',
    'T1562.001',
    'Defense Evasion',
    'switched configuration recording off',
    4,
  ),
  row('securityhub', 'DisableSecurityHub DeleteMembers', 'T1562.001', 'Defense Evasion', 'weakened Security Hub', 4),
  row(
    'wafv2 waf waf-regional',
    'DeleteWebACL UpdateIPSet DeleteRuleGroup',
    'T1562.007',
    'Defense Evasion',
    'weakened the web firewall',
    4,
  ),
  row(
    'network-firewall',
    'DeleteFirewall DeleteFirewallPolicy',
    'T1562.007',
    'Defense Evasion',
    'took a firewall away',
    4,
  ),
  row(
    'budgets ce',
    'DeleteBudget ModifyBudget DeleteAnomalyMonitor DeleteAnomalySubscription',
    'T1562.001',
    'Defense Evasion',
    'silenced billing alarms',
    3,
  ),
].flat();
