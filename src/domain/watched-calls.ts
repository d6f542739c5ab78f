/**
 * What the API calls that people have sent to an alert channel mean, and how grave one is by itself (DOMAIN.md 8.1 and
 * MISSION 4.1). A detection that knows more of the case says more; this is the word for a single event.
 */
import type { CloudTrailRecord } from '../contracts/cloudtrail.ts';

interface WatchedCall {
  readonly sentence: string;
  readonly severity: number;
}

const low = 2;
const medium = 5;
const high = 8;
const critical = 9.5;

function call(sentence: string, severity: number): WatchedCall {
  return { sentence, severity };
}

const calls: Readonly<Record<string, WatchedCall>> = {
  ConsoleLogin: call('Somebody signed in to the AWS console.', low),
  CreateUser: call('Somebody created an IAM user.', medium),
  DeleteUser: call('Somebody deleted an IAM user.', medium),
  CreateLoginProfile: call('Somebody gave an IAM user a console password.', high),
  UpdateLoginProfile: call("Somebody changed an IAM user's console password.", high),
  CreateAccessKey: call('Somebody made a long-term access key.', medium),
  UpdateAccessKey: call('Somebody switched an access key on or off.', low),
  DeleteAccessKey: call('Somebody deleted an access key.', low),
  AttachUserPolicy: call('Somebody gave an IAM user more rights.', high),
  PutUserPolicy: call('Somebody wrote a policy into an IAM user.', medium),
  PutGroupPolicy: call('Somebody wrote a policy into an IAM group.', medium),
  PutRolePolicy: call('Somebody wrote a policy into a role.', medium),
  AttachRolePolicy: call('Somebody gave a role more rights.', medium),
  DetachRolePolicy: call('Somebody took a policy off a role.', medium),
  CreatePolicyVersion: call('Somebody changed an IAM policy.', medium),
  CreateRole: call('Somebody created a role.', medium),
  DeleteRole: call('Somebody deleted a role.', medium),
  UpdateAssumeRolePolicy: call('Somebody changed who may use a role.', high),
  CreateTrustAnchor: call('Somebody added a certificate authority that can hand out AWS credentials.', high),
  CreateGroup: call('Somebody created an IAM group.', low),
  CreateKeyPair: call('Somebody made an EC2 key pair.', low),
  ImportKeyPair: call('Somebody brought in an EC2 key pair.', low),
  DeleteTrail: call('Somebody deleted a CloudTrail trail.', critical),
  StopLogging: call('Somebody stopped the logging of CloudTrail.', critical),
  PutEventSelectors: call('Somebody changed what CloudTrail records.', high),
  UpdateTrail: call('Somebody changed a CloudTrail trail.', high),
  DeleteDetector: call('Somebody switched GuardDuty off.', critical),
  UpdateDetector: call('Somebody changed the settings of GuardDuty.', high),
  LeaveOrganization: call('Somebody tried to take the account out of the AWS organization.', critical),
  CreateAccount: call('Somebody created an account of the AWS organization.', medium),
  DeleteFlowLogs: call('Somebody deleted VPC flow logs.', high),
  DeleteVpc: call('Somebody deleted a VPC.', medium),
  DeleteBucket: call('Somebody deleted an S3 bucket.', medium),
  GetPasswordData: call('Somebody asked for the Windows password of an EC2 instance.', high),
  GetSecretValue: call('Somebody read a secret.', low),
  ListSecrets: call('Somebody listed the secrets.', low),
  ModifyImageAttribute: call('Somebody changed who may use a machine image.', high),
  ModifySnapshotAttribute: call('Somebody changed who may use an EBS snapshot.', high),
  ModifyDBSnapshotAttribute: call('Somebody changed who may use a database snapshot.', high),
  GetFederationToken: call('Somebody made temporary credentials that outlive the key behind them.', high),
  GetSessionToken: call('Somebody made temporary credentials of a user.', low),
  AssumeRole: call('Somebody took on a role.', low),
  StartSession: call('Somebody opened a shell on an instance.', medium),
  SendCommand: call('Somebody ran a command on instances.', medium),
  SendSSHPublicKey: call('Somebody pushed an SSH key to an EC2 instance.', medium),
  SendSerialConsoleSSHPublicKey: call('Somebody pushed an SSH key to the serial console of an EC2 instance.', high),
  EnableSerialConsoleAccess: call('Somebody switched on serial console access to EC2 instances.', high),
  AuthorizeSecurityGroupIngress: call('Somebody opened a security group.', medium),
  RunInstances: call('Somebody launched EC2 instances.', low),
  TerminateInstances: call('Somebody terminated EC2 instances.', medium),
  AssociateIamInstanceProfile: call('Somebody gave an EC2 instance a role.', high),
  ReplaceIamInstanceProfileAssociation: call('Somebody gave an EC2 instance another role.', high),
  RequestServiceQuotaIncrease: call('Somebody asked AWS for a higher quota.', medium),
  UpdateFunctionCode20150331v2: call('Somebody changed the code of a Lambda function.', medium),
  UpdateFunctionConfiguration20150331v2: call('Somebody changed the settings of a Lambda function.', medium),
  PutBucketPolicy: call('Somebody changed the policy of an S3 bucket.', medium),
};

/** A sentence without any text from outside. `failed`: AWS refused it. */
export function sentenceOfCall(eventName: string, failed: boolean, isRoot: boolean): string {
  const known = Object.hasOwn(calls, eventName) ? calls[eventName]?.sentence : undefined;
  const sentence = known ?? 'An API was called that a rule sends here.';
  const by = isRoot ? sentence.replace(/^Somebody/, 'The root user') : sentence;
  return failed ? `${by.replace(/\.$/, '')}: AWS refused it.` : by;
}

/** On GuardDuty's scale. The root user is never less than high; what AWS refused is one step less than what it let pass. */
export function severityOfCall(record: CloudTrailRecord, failed: boolean): number {
  const known = Object.hasOwn(calls, record.eventName) ? (calls[record.eventName]?.severity ?? low) : low;
  const isRoot = record.userIdentity.type === 'Root' && record.userIdentity.invokedBy === undefined;
  const grave = isRoot ? Math.max(known, high) : known;
  if (!failed) return grave;
  return grave >= critical ? high : grave >= high ? medium : low;
}

/** Whether the call is one that people have sent to an alert channel. */
export function isWatchedCall(eventName: string): boolean {
  return Object.hasOwn(calls, eventName);
}
