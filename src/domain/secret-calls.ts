/** The calls whose answer gives a secret away, and which field of the request names it. */
import { at, plainAt } from './links-fields.ts';

export interface SecretKind {
  readonly kind: string;
  /** `read`: the answer holds it. `may-hold`: the answer often holds secrets. */
  readonly sure: 'read' | 'may-hold';
  /** Keys of the request that name the secret, in lower case without list words. */
  readonly named: readonly string[];
  /** Ending of the ARN, after `arn:PARTITION:SERVICE:`. */
  readonly arn?: string;
  /** Calls that give no secret are left out. */
  readonly only?: (request: unknown) => boolean;
}

export const secret: SecretKind = {
  kind: 'Secrets Manager secret',
  sure: 'read',
  named: ['secretid'],
  arn: '{r}:{a}:secret:{v}',
};
export const parameter: SecretKind = {
  kind: 'SSM parameter',
  sure: 'read',
  named: ['name', 'path'],
  arn: '{r}:{a}:parameter/{v}',
};
export const lambda: SecretKind = {
  kind: 'environment of a Lambda function',
  sure: 'may-hold',
  named: ['functionname'],
  arn: '{r}:{a}:function:{v}',
};

export const decrypted: SecretKind = {
  kind: 'data decrypted with a KMS key',
  sure: 'read',
  named: ['keyid'],
  arn: '{r}:{a}:key/{v}',
};
/** Named by its bucket and key. */
export const object: SecretKind = {
  kind: 'object in S3',
  sure: 'may-hold',
  named: [],
  only: (request) => tellingObject.test(at(request, 'key') ?? ''),
};
/** State of infrastructure, keys and the files that tools keep their passwords in. */
export const tellingObject =
  /\.(?:tfstate|pem|key|p12|pfx|jks|ppk|kdbx|env|htpasswd)(?:\.backup)?$|(?:^|\/)(?:\.env[^/]*|credentials|\.npmrc|\.pypirc|\.netrc|\.pgpass|\.git-credentials|id_(?:rsa|dsa|ecdsa|ed25519)|wp-config\.php)$/i;

/** API Gateway gives the keys themselves only where asked to. */
function withValues(request: unknown): boolean {
  return ['includeValue', 'includeValues'].some((name) => plainAt(request, name) === 'true');
}

/** Calls whose answer holds a secret. Event names without their date. */
export const secretCalls: Readonly<Record<string, SecretKind>> = {
  'secretsmanager:GetSecretValue': secret,
  'secretsmanager:BatchGetSecretValue': secret,
  'ssm:GetParameter': parameter,
  'ssm:GetParameters': parameter,
  'ssm:GetParametersByPath': parameter,
  'ssm:GetParameterHistory': parameter,
  'kms:Decrypt': decrypted,
  'ec2:GetPasswordData': { kind: 'Windows administrator password of an instance', sure: 'read', named: ['instanceid'] },
  'ecr:GetAuthorizationToken': { kind: 'container registry token', sure: 'read', named: ['registryid'] },
  'ecr-public:GetAuthorizationToken': { kind: 'container registry token', sure: 'read', named: ['registryid'] },
  'codeartifact:GetAuthorizationToken': { kind: 'CodeArtifact token', sure: 'read', named: ['domain'] },
  'redshift:GetClusterCredentials': { kind: 'database password', sure: 'read', named: ['clusteridentifier'] },
  'redshift:GetClusterCredentialsWithIAM': { kind: 'database password', sure: 'read', named: ['clusteridentifier'] },
  'redshift-serverless:GetCredentials': { kind: 'database password', sure: 'read', named: ['workgroupname'] },
  'lightsail:GetRelationalDatabaseMasterUserPassword': {
    kind: 'database password',
    sure: 'read',
    named: ['relationaldatabasename'],
  },
  'lightsail:GetInstanceAccessDetails': { kind: 'access to an instance', sure: 'read', named: ['instancename'] },
  'lightsail:DownloadDefaultKeyPair': { kind: 'private key of all Lightsail instances', sure: 'read', named: [] },
  'glue:GetConnection': { kind: 'password of a Glue connection', sure: 'may-hold', named: ['name'] },
  'glue:GetConnections': { kind: 'passwords of Glue connections', sure: 'may-hold', named: [] },
  'lambda:GetFunction': lambda,
  'lambda:GetFunctionConfiguration': lambda,
  'lambda:ListFunctions': { kind: 'environments of Lambda functions', sure: 'may-hold', named: [] },
  'ec2:DescribeInstanceAttribute': {
    kind: 'user data of an instance',
    sure: 'may-hold',
    named: ['instanceid'],
    only: (request) => at(request, 'attribute') === 'userData',
  },
  'ec2:DescribeLaunchTemplateVersions': {
    kind: 'user data of a launch template',
    sure: 'may-hold',
    named: ['launchtemplateid', 'launchtemplatename'],
  },
  'apigateway:GetApiKey': { kind: 'API key', sure: 'read', named: ['apikey'], only: withValues },
  'apigateway:GetApiKeys': { kind: 'API keys of API Gateway', sure: 'read', named: [], only: withValues },
  'appsync:ListApiKeys': { kind: 'API keys of AppSync', sure: 'read', named: ['apiid'] },
  'cognito-idp:DescribeUserPoolClient': { kind: 'client secret of a user pool', sure: 'may-hold', named: ['clientid'] },
  'elasticbeanstalk:DescribeConfigurationSettings': {
    kind: 'environment of an Elastic Beanstalk application',
    sure: 'may-hold',
    named: ['environmentname', 'applicationname'],
  },
  's3:GetObject': object,
  'codebuild:BatchGetProjects': { kind: 'environment of a build project', sure: 'may-hold', named: ['name'] },
  'ecs:DescribeTaskDefinition': {
    kind: 'environment of a task definition',
    sure: 'may-hold',
    named: ['taskdefinition'],
  },
};
