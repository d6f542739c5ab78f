/** What the noise of the generated data set is made of. */

export const hex = '0123456789abcdef';
export const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
export const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
export const regions = ['us-east-1', 'us-east-1', 'us-east-1', 'eu-west-1', 'eu-west-1', 'us-west-2', 'ap-southeast-2'];
export const agents = [
  'aws-cli/2.15.30 Python/3.11.8 Linux/6.1.79-99.164.amzn2023.x86_64 exe/x86_64.amzn.2023 prompt/off command/ec2.describe-instances',
  'Boto3/1.34.51 md/Botocore#1.34.51 ua/2.0 os/linux#5.10.209-198.858.amzn2.x86_64 md/arch#x86_64 lang/python#3.9.16 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.34.51',
  'aws-sdk-java/2.20.162 Linux/5.10.186-179.751.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/17.0.9+9-LTS Java/17.0.9 vendor/Amazon.com_Inc. exec-env/AWS_ECS_FARGATE io/sync http/Apache cfg/retry-mode/legacy',
  'APN/1.0 HashiCorp/1.0 Terraform/1.5.7 (+https://www.terraform.io) terraform-provider-aws/5.31.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.24.0',
];
export const services = [
  'ec2',
  'lambda',
  'autoscaling',
  'ecs-tasks',
  'config',
  'cloudformation',
  'elasticloadbalancing',
  'rds',
];
/** The same at every size of the set. */
export const reads: readonly (readonly [string, string])[] = [
  ['ec2', 'DescribeInstances'],
  ['ec2', 'DescribeSecurityGroups'],
  ['ec2', 'DescribeVolumes'],
  ['ec2', 'DescribeTags'],
  ['ec2', 'DescribeNetworkInterfaces'],
  ['s3', 'GetBucketAcl'],
  ['s3', 'ListBuckets'],
  ['iam', 'GetUser'],
  ['iam', 'GetRole'],
  ['iam', 'ListAttachedRolePolicies'],
  ['sts', 'GetCallerIdentity'],
  ['kms', 'Decrypt'],
  ['ssm', 'GetParameter'],
  ['logs', 'DescribeLogGroups'],
  ['lambda', 'GetFunction20150331v2'],
  ['elasticloadbalancing', 'DescribeTargetHealth'],
  ['dynamodb', 'DescribeTable'],
  ['cloudformation', 'DescribeStacks'],
  ['ecr', 'GetAuthorizationToken'],
  ['secretsmanager', 'GetSecretValue'],
  ['rds', 'DescribeDBInstances'],
  ['ec2', 'DescribeSnapshots'],
  ['ec2', 'DescribeLaunchTemplateVersions'],
  ['s3', 'GetBucketLocation'],
  ['s3', 'GetBucketEncryption'],
  ['s3', 'GetBucketPolicyStatus'],
  ['autoscaling', 'DescribeAutoScalingGroups'],
  ['sqs', 'GetQueueAttributes'],
  ['elasticloadbalancing', 'DescribeLoadBalancers'],
];
export const writes: readonly (readonly [string, string])[] = [
  ...Array.from({ length: 7 }, () => ['ec2', 'CreateTags'] as const),
  ['ecs', 'RunTask'],
];
