/** The known ways from a few rights to many: each is a set of actions that together let their holder become more than he is. */

export interface EscalationPath {
  readonly id: string;
  /** All of these; a list in the list means any of them. */
  readonly needs: readonly (string | readonly string[])[];
  /** After "it can". */
  readonly says: string;
}

/**
 * Sources: Rhino Security Labs, "AWS IAM Privilege Escalation Methods"; Bishop Fox, "IAM Vulnerable"; AWS Service
 * Authorization Reference for the spelling of actions.
 */
export const escalationPaths: readonly EscalationPath[] = [
  { id: 'create-policy-version', needs: ['iam:CreatePolicyVersion'], says: 'rewrite a managed policy' },
  {
    id: 'set-default-policy-version',
    needs: ['iam:SetDefaultPolicyVersion'],
    says: 'bring back an older, wider version of a policy',
  },
  { id: 'attach-user-policy', needs: ['iam:AttachUserPolicy'], says: 'attach any policy to a user' },
  { id: 'put-user-policy', needs: ['iam:PutUserPolicy'], says: 'write a policy into a user' },
  { id: 'attach-group-policy', needs: ['iam:AttachGroupPolicy'], says: 'attach any policy to a group' },
  { id: 'put-group-policy', needs: ['iam:PutGroupPolicy'], says: 'write a policy into a group' },
  { id: 'add-user-to-group', needs: ['iam:AddUserToGroup'], says: 'join a group with more rights' },
  { id: 'attach-role-policy', needs: ['iam:AttachRolePolicy'], says: 'attach any policy to a role' },
  { id: 'put-role-policy', needs: ['iam:PutRolePolicy'], says: 'write a policy into a role' },
  {
    id: 'update-trust',
    needs: ['iam:UpdateAssumeRolePolicy'],
    says: 'let itself into a role by changing its trust policy',
  },
  { id: 'create-access-key', needs: ['iam:CreateAccessKey'], says: 'make access keys for other users' },
  { id: 'create-login-profile', needs: ['iam:CreateLoginProfile'], says: 'give other users a console password' },
  { id: 'update-login-profile', needs: ['iam:UpdateLoginProfile'], says: "change other users' console passwords" },
  {
    id: 'lift-boundary',
    needs: [
      [
        'iam:DeleteUserPermissionsBoundary',
        'iam:DeleteRolePermissionsBoundary',
        'iam:PutUserPermissionsBoundary',
        'iam:PutRolePermissionsBoundary',
      ],
    ],
    says: 'lift a permissions boundary',
  },
  { id: 'pass-role-ec2', needs: ['iam:PassRole', 'ec2:RunInstances'], says: 'launch an instance with a stronger role' },
  {
    id: 'swap-instance-profile',
    needs: ['iam:PassRole', ['ec2:AssociateIamInstanceProfile', 'ec2:ReplaceIamInstanceProfileAssociation']],
    says: 'give a running instance a stronger role',
  },
  {
    id: 'pass-role-lambda',
    needs: [
      'iam:PassRole',
      'lambda:CreateFunction',
      [
        'lambda:InvokeFunction',
        'lambda:CreateEventSourceMapping',
        'lambda:AddPermission',
        'lambda:CreateFunctionUrlConfig',
      ],
    ],
    says: 'run a function under a stronger role',
  },
  {
    id: 'change-lambda-code',
    needs: ['lambda:UpdateFunctionCode'],
    says: "put its own code into a function and act by the function's role",
  },
  {
    id: 'change-lambda-layers',
    needs: ['lambda:UpdateFunctionConfiguration'],
    says: 'put its own layer into a function',
  },
  {
    id: 'pass-role-cloudformation',
    needs: ['iam:PassRole', 'cloudformation:CreateStack'],
    says: 'let CloudFormation act under a stronger role',
  },
  {
    id: 'pass-role-ecs',
    needs: ['iam:PassRole', 'ecs:RegisterTaskDefinition', ['ecs:RunTask', 'ecs:CreateService', 'ecs:StartTask']],
    says: 'run a container under a stronger role',
  },
  {
    id: 'pass-role-glue',
    needs: ['iam:PassRole', ['glue:CreateDevEndpoint', 'glue:CreateJob']],
    says: 'run Glue under a stronger role',
  },
  { id: 'update-glue-endpoint', needs: ['glue:UpdateDevEndpoint'], says: 'enter a Glue endpoint and take its role' },
  {
    id: 'pass-role-data-pipeline',
    needs: ['iam:PassRole', 'datapipeline:CreatePipeline', 'datapipeline:PutPipelineDefinition'],
    says: 'run a data pipeline under a stronger role',
  },
  {
    id: 'pass-role-codebuild',
    needs: ['iam:PassRole', 'codebuild:CreateProject', ['codebuild:StartBuild', 'codebuild:StartBuildBatch']],
    says: 'run a build under a stronger role',
  },
  {
    id: 'pass-role-sagemaker',
    needs: [
      'iam:PassRole',
      ['sagemaker:CreateNotebookInstance', 'sagemaker:CreateTrainingJob', 'sagemaker:CreateProcessingJob'],
    ],
    says: 'run a notebook or job under a stronger role',
  },
  {
    id: 'enter-notebook',
    needs: ['sagemaker:CreatePresignedNotebookInstanceUrl'],
    says: 'enter a notebook and take its role',
  },
  {
    id: 'run-on-instances',
    needs: [['ssm:SendCommand', 'ssm:StartSession']],
    says: 'run commands on instances and take their roles',
  },
  {
    id: 'change-user-data',
    needs: ['ec2:ModifyInstanceAttribute', 'ec2:StartInstances'],
    says: "change an instance's start-up script",
  },
  { id: 'assume-any-role', needs: ['sts:AssumeRole'], says: 'assume any role that trusts this account' },
  { id: 'assume-root', needs: ['sts:AssumeRoot'], says: 'act as the root user of member accounts' },
  {
    id: 'identity-center',
    needs: [
      ['sso:CreateAccountAssignment', 'sso:PutInlinePolicyToPermissionSet', 'sso:AttachManagedPolicyToPermissionSet'],
    ],
    says: 'widen rights through Identity Center',
  },
];
