/**
 * The questions of a triage, as data: the nine steps of DOMAIN.md 7 in their order, then the habits of its attacker. A step
 * is answered by calls, by rules of the catalogue, or by both.
 */
export interface TriageStep {
  readonly id: string;
  readonly question: string;
  /** `service:EventName`, the name without its date; `*` at the end stands for any ending. */
  readonly calls: readonly string[];
  /** Names of rules. */
  readonly rules: readonly string[];
  /** `identities`: what else those did who answer the first question. */
  readonly follows?: 'instances';
}

function step(id: string, question: string, calls: string, rules = ''): TriageStep {
  return { id, question, calls: expand(calls), rules: rules.split(' ').filter(Boolean) };
}

/** `iam:CreateUser,DeleteUser sts:AssumeRole` -> one entry per call. */
function expand(text: string): readonly string[] {
  return text
    .split(/\s+/)
    .filter(Boolean)
    .flatMap((group) => {
      const [service = '', names = ''] = group.split(':');
      return names.split(',').map((name) => `${service}:${name}`);
    });
}

export const triageSteps: readonly TriageStep[] = [
  step(
    'instances',
    'Who or what made the instances?',
    `ec2:RunInstances,RequestSpotInstances,RequestSpotFleet,CreateFleet,StartInstances,CreateLaunchTemplate
     autoscaling:CreateAutoScalingGroup,UpdateAutoScalingGroup,SetDesiredCapacity lightsail:CreateInstances
     ecs:RunTask batch:SubmitJob eks:CreateNodegroup`,
  ),
  { id: 'identities', question: 'What else did those identities do?', calls: [], rules: [], follows: 'instances' },
  step(
    'console-logins',
    'Who signed in to the console?',
    `signin:ConsoleLogin,GetSigninToken,SwitchRole,PasswordRecoveryRequested,PasswordRecoveryCompleted
     sso:Authenticate,Federate`,
    'console-login-guessed console-login-after-failures',
  ),
  step(
    'session-tokens',
    'Were session tokens minted?',
    'sts:GetSessionToken,GetFederationToken,AssumeRoot,GetDelegatedAccessToken,GetWebIdentityToken',
  ),
  step(
    'role-assumptions',
    'Which roles were taken, and by whom?',
    'sts:AssumeRole,AssumeRoleWithSAML,AssumeRoleWithWebIdentity',
  ),
  step(
    'users',
    'Were users made, changed or removed?',
    `iam:CreateUser,DeleteUser,UpdateUser,CreateLoginProfile,UpdateLoginProfile,DeleteLoginProfile,AddUserToGroup,RemoveUserFromGroup,CreateGroup
     identitystore:CreateUser,CreateGroupMembership sso-directory:CreateUser,AddMemberToGroup`,
  ),
  step(
    'roles-and-policies',
    'Were roles or policies made, changed or removed?',
    `iam:CreateRole,AcquireRole,DeleteRole,AttachRolePolicy,DetachRolePolicy,PutRolePolicy,DeleteRolePolicy,UpdateAssumeRolePolicy
     iam:AttachUserPolicy,DetachUserPolicy,PutUserPolicy,DeleteUserPolicy,PutGroupPolicy,AttachGroupPolicy,DetachGroupPolicy,DeleteGroupPolicy,CreatePolicy
     iam:DeletePolicy,CreatePolicyVersion,DeletePolicyVersion,SetDefaultPolicyVersion,UpdateRole
     iam:PutUserPermissionsBoundary,PutRolePermissionsBoundary,DeleteUserPermissionsBoundary,DeleteRolePermissionsBoundary
     iam:CreateSAMLProvider,UpdateSAMLProvider,CreateOpenIDConnectProvider
     rolesanywhere:CreateTrustAnchor,EnableTrustAnchor,CreateProfile`,
  ),
  step(
    'access-keys',
    'Were access keys or other long-term credentials made, changed or removed?',
    `iam:CreateAccessKey,DeleteAccessKey,UpdateAccessKey,ChangePassword,EnableMFADevice,DeactivateMFADevice
     iam:CreateServiceSpecificCredential,ResetServiceSpecificCredential,UpdateServiceSpecificCredential,DeleteServiceSpecificCredential
     iam:UploadSSHPublicKey,UpdateSSHPublicKey,DeleteSSHPublicKey
     iam:UploadSigningCertificate,UpdateSigningCertificate,DeleteSigningCertificate`,
  ),
  step(
    'instance-profiles',
    'Did instances get other roles or start scripts?',
    `ec2:AssociateIamInstanceProfile,ReplaceIamInstanceProfileAssociation,DisassociateIamInstanceProfile,ModifyInstanceAttribute
     iam:AddRoleToInstanceProfile,CreateInstanceProfile`,
  ),
  step(
    'member-accounts',
    'Were accounts made or moved in the organisation?',
    `organizations:CreateAccount,CreateGovCloudAccount,CreateAccountResult,CreateOrganization,InviteAccountToOrganization
     organizations:AcceptHandshake,MoveAccount,EnableAWSServiceAccess,RegisterDelegatedAdministrator,LeaveOrganization`,
  ),
  step(
    'containers',
    'Were containers or stacks prepared or run?',
    `ecs:RegisterTaskDefinition,CreateCluster,CreateService,UpdateService,RunTask,PutClusterCapacityProviders
     eks:CreateFargateProfile,CreateCluster batch:CreateComputeEnvironment,RegisterJobDefinition
     cloudformation:CreateStack,CreateStackSet`,
  ),
  step(
    'many-regions',
    'Was work spread over many Regions, or a Region switched on?',
    'account:EnableRegion',
    'many-regions-used',
  ),
  step(
    'quota-requests',
    'Were higher limits asked for?',
    `servicequotas:RequestServiceQuotaIncrease,AssociateServiceQuotaTemplate,PutServiceQuotaIncreaseRequestIntoTemplate,StartAutoManagement
     support:CreateCase,AddCommunicationToCase`,
    'quotas-raised-widely',
  ),
  step(
    'mail-abuse',
    'Was sending of mail or text messages looked at or prepared?',
    `ses:GetSendQuota,GetAccount,ListIdentities,GetAccountSendingEnabled,VerifyEmailIdentity,VerifyDomainIdentity,CreateEmailIdentity
     ses:PutAccountDetails,UpdateAccountSendingEnabled,PutAccountSendingAttributes,CreateConfigurationSet,SendEmail,SendRawEmail
     sns:SetSMSAttributes,GetSMSAttributes`,
  ),
  step(
    'notebooks-and-models',
    'Were notebooks, training jobs or AI models used?',
    `sagemaker:CreateNotebookInstance,StartNotebookInstance,CreateNotebookInstanceLifecycleConfig,CreatePresignedNotebookInstanceUrl
     sagemaker:CreateDomain,CreateProcessingJob,CreateTrainingJob,CreateEndpointConfig
     bedrock:InvokeModel*,Converse*,PutUseCaseForModelAccess,PutFoundationModelEntitlement,CreateFoundationModelAgreement`,
  ),
  step(
    'contacts',
    'Were contacts or the sign-in of root changed?',
    `account:PutAlternateContact,DeleteAlternateContact,PutContactInformation,PutAccountName,StartPrimaryEmailUpdate,AcceptPrimaryEmailUpdate
     signin:EmailUpdated,PasswordUpdated`,
    'root-changes',
  ),
  step(
    'billing',
    'Were bills, budgets or payment touched?',
    `budgets:DeleteBudget,ModifyBudget,UpdateBudget ce:DeleteAnomalyMonitor,DeleteAnomalySubscription
     billingconsole:Update*,Delete* payments:Update*,Create*,Delete* aws-marketplace:AcceptAgreementRequest,Subscribe`,
  ),
  step(
    'cover-up',
    'Was logging or detection switched off, or a trace removed?',
    // By the calls too: the rules leave out what was refused, and an attempt tells as much.
    `support:ResolveCase cloudtrail:StopLogging,DeleteTrail,StopEventDataStoreIngestion,DeleteEventDataStore
     guardduty:DeleteDetector,StopMonitoringMembers,DisassociateFromAdministratorAccount,DisassociateFromMasterAccount
     config:StopConfigurationRecorder,DeleteConfigurationRecorder,DeleteDeliveryChannel securityhub:DisableSecurityHub
     ec2:DeleteFlowLogs`,
    `cloudtrail-logging-stopped cloudtrail-management-events-off cloudtrail-trail-changed guardduty-disabled guardduty-detector-disabled
     guardduty-weakened securityhub-weakened config-recording-stopped vpc-flow-logs-deleted dns-logs-deleted log-group-deleted
     alarms-silenced event-rule-silenced iam-quarantine-detached iam-mfa-device-removed bedrock-logging-deleted`.replace(
      /\s+/g,
      ' ',
    ),
  ),
];

/** Asked only where the past of principals is kept: without it nobody can say. */
export const unusualStep: TriageStep = step(
  'unusual',
  'Did anybody act unlike its own past, or use credentials where they do not belong?',
  '',
  `baseline-several-firsts baseline-several-firsts-with-changes baseline-impossible-travel baseline-dormant-key
     baseline-new-key-elsewhere baseline-instance-credentials-outside baseline-region-fan-out-with-changes
     baseline-denied-in-new-place`.replace(/\s+/g, ' '),
);
