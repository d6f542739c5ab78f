/**
 * What GuardDuty's finding types mean, in plain words. Keys are looked up from the most to the least exact: the whole type,
 * `Resource/Rest`, `Rest`, `Family!Artifact`, `Family.Mechanism`, `Family`. `{Subject}`, `{subject}`, `{calls}` and
 * `{doing}` are filled in from the type's resource and purpose. A pair is [our resource acts, our resource is attacked].
 */

export type Wording = string | { readonly actor: string; readonly target: string; readonly unknown: string };

const reputation = 'is looking up a domain name of low reputation';

function bruteForce(server: string): Wording {
  return {
    actor: `{Subject} is guessing passwords of other machines over ${server}.`,
    target: `Somebody is guessing passwords of {subject} over ${server}.`,
    unknown: `{Subject} is involved in password guessing over ${server}, as attacker or as target.`,
  };
}

function penTest(system: string): string {
  return `{calls} came from a machine that runs ${system}, a system made for penetration tests.`;
}

export const wordings: Readonly<Record<string, Wording>> = {
  // Attack sequences
  'EC2/CompromisedInstanceGroup':
    'Several signals together show that a group of EC2 instances is probably compromised.',
  'ECS/CompromisedCluster': 'Several signals together show that an ECS cluster is probably compromised.',
  'EKS/CompromisedCluster': 'Several signals together show that an EKS cluster is probably compromised.',
  'IAM/CompromisedCredentials': 'Several signals together show that AWS credentials are probably stolen and in use.',
  'S3/CompromisedData': 'Several signals together show an attempt to steal or destroy data in S3.',

  // Command servers, mining, malware traffic
  'C&CActivity': '{Subject} is talking to a known command-and-control server.',
  'C&CActivity!DNS': '{Subject} is looking up the name of a known command-and-control server.',
  BitcoinTool: '{Subject} is talking to an address that is used for crypto mining.',
  'BitcoinTool!DNS': '{Subject} is looking up a domain name that is used for crypto mining.',
  BitcoinDomainRequest: `{Subject} ${reputation} that is tied to crypto mining.`,
  CryptoMinerExecuted: '{Subject} has started a crypto miner.',
  DenialOfService: '{Subject} sends traffic like that of a denial-of-service attack.',
  'DenialOfService.Dns': '{Subject} sends traffic like that of a denial-of-service attack over DNS.',
  'DenialOfService.Tcp': '{Subject} sends traffic like that of a denial-of-service attack over TCP.',
  'DenialOfService.Udp': '{Subject} sends traffic like that of a denial-of-service attack over UDP.',
  'DenialOfService.UdpOnTcpPorts':
    '{Subject} sends traffic like that of a denial-of-service attack, UDP to ports that normally use TCP.',
  'DenialOfService.UnusualProtocol':
    '{Subject} sends traffic like that of a denial-of-service attack over an unusual protocol.',
  Spambot: '{Subject} talks to mail servers in an unusual way and may be sending spam.',
  XORDDOS: '{Subject} is talking to an address that is tied to the XorDDoS malware.',
  BlackholeTraffic: '{Subject} is talking to an address that is a known black hole.',
  'BlackholeTraffic!DNS': '{Subject} is looking up a domain name that leads to a black hole.',
  DGADomainRequest: '{Subject} is looking up machine-made domain names, as malware does to find its server.',
  DNSDataExfiltration: '{Subject} is sending data out inside DNS queries.',
  DriveBySourceTraffic: '{Subject} is looking up the name of a known source of drive-by downloads.',
  DropPoint: '{Subject} is talking to an address where malware is known to leave stolen data.',
  'DropPoint!DNS': '{Subject} is looking up the name of a host where malware is known to leave stolen data.',
  PhishingDomainRequest: '{Subject} is looking up a domain name that is used for phishing.',
  AbusedDomainRequest: `{Subject} ${reputation} that is often abused.`,
  MaliciousDomainRequest: `{Subject} ${reputation} that is known to be malicious.`,
  'MaliciousDomainRequest.Custom': '{Subject} is looking up a domain name that is on your own threat list.',
  SuspiciousDomainRequest: `{Subject} ${reputation} that looks suspicious, for its age or its popularity.`,
  TorClient: '{Subject} is connecting to the Tor network.',
  TorRelay: '{Subject} works as a relay of the Tor network.',
  'EC2/TorIPCaller': '{Subject} gets connections from a Tor exit node.',
  MetadataDNSRebind:
    '{Subject} looks up a name that leads to the instance metadata service, a way to steal credentials.',
  NetworkPortUnusual: '{Subject} is talking to a remote host on an unusual port.',
  TrafficVolumeUnusual: '{Subject} sends an unusually large amount of data to a remote host.',
  UnusualDNSResolver: '{Subject} is using an unusual public DNS server.',
  UnusualDoHActivity: '{Subject} sends DNS queries over HTTPS, which is unusual for it.',
  UnusualDoTActivity: '{Subject} sends DNS queries over TLS, which is unusual for it.',

  // Scans and password guessing
  PortSweep: '{Subject} is probing one port on very many addresses.',
  Portscan: '{Subject} is scanning the ports of a remote host.',
  PortProbeUnprotectedPort: 'A known malicious host is probing an open port of {subject}.',
  PortProbeEMRUnprotectedPort: 'A known malicious host is probing an open EMR port of {subject}.',
  SSHBruteForce: bruteForce('SSH'),
  RDPBruteForce: bruteForce('Remote Desktop'),
  WinRMBruteForce: bruteForce('Windows Remote Management'),

  // API callers
  AnomalousBehavior: '{calls} {doing} were made in a way that is unusual here.',
  MaliciousIPCaller: '{calls} {doing} came from a known malicious IP address.',
  'MaliciousIPCaller.Custom': '{calls} {doing} came from an IP address on your own threat list.',
  TorIPCaller: '{calls} {doing} came from a Tor exit node.',
  SuccessfulAnonymousAccess: '{calls} {doing} were made by somebody who had not signed in, and succeeded.',
  'EC2/MaliciousIPCaller.Custom': '{Subject} is connecting to an IP address on your own threat list.',
  'Lambda/MaliciousIPCaller.Custom': '{Subject} is connecting to an IP address on your own threat list.',
  UnusualASNCaller: '{calls} came from a network that is unusual for this account.',
  KaliLinux: penTest('Kali Linux'),
  ParrotLinux: penTest('Parrot Security Linux'),
  PentooLinux: penTest('Pentoo Linux'),
  CompromisedCredentials: 'AWS credentials are used in a way that shows that they are probably stolen.',
  ConsoleLogin: 'An unusual sign-in to the AWS console was seen.',
  ConsoleLoginSuccess:
    'One identity signed in to the AWS console from several places of the world at about the same time.',
  'InstanceCredentialExfiltration.InsideAWS':
    'Credentials made for an EC2 instance are being used from another AWS account; they are probably stolen.',
  'InstanceCredentialExfiltration.OutsideAWS':
    'Credentials made for an EC2 instance are being used from outside AWS; they are probably stolen.',
  InstanceCredentialExfiltration:
    'Credentials made for an EC2 instance are being used from elsewhere; they are probably stolen.',
  ResourceCredentialExfiltration:
    'Credentials made for an AWS resource, such as a Lambda function, are being used from outside AWS; they are probably stolen.',
  RootCredentialUsage: 'Somebody used the credentials of the root user.',
  ShortTermRootCredentialUsage: 'Somebody used restricted root credentials, made for a single task.',
  BedrockLoggingDisabled: 'Somebody switched off the logging of Amazon Bedrock.',
  CloudTrailLoggingDisabled: 'Somebody switched off CloudTrail logging.',
  LoggingConfigurationModified: 'Somebody stopped logging or deleted logs.',
  PasswordPolicyChange: "Somebody weakened the account's password rules.",
  AnomalousModelInvocation: 'An AWS identity calls AI models in a way that is unusual here.',
  CostHarvesting: 'Unusually large amounts of AI model use may be somebody working at your cost.',
  PromptInjection: 'A Bedrock guardrail saw an attempt to slip instructions to an AI model.',
  InstanceLaunchUnusual: 'An AWS identity launched an unusual kind of EC2 instance.',
  ComputeResources: 'An AWS identity launched computing resources, such as EC2 instances.',
  NetworkPermissions: '{calls} that read or change network access rules were made in an unusual way.',
  ResourcePermissions: '{calls} that read or change who may use resources were made in an unusual way.',
  UserPermissions: '{calls} that read or change users, groups and their rights were made in an unusual way.',
  AdministrativePermissions: 'An AWS identity tried to give itself very wide rights.',

  // S3
  'S3/AnomalousBehavior.Delete': '{calls} that delete data were made in an unusual way.',
  'S3/AnomalousBehavior.Permission': '{calls} that change who may read or write data were made in an unusual way.',
  'S3/AnomalousBehavior.Write': '{calls} that write data were made in an unusual way.',
  AccountBlockPublicAccessDisabled: 'Somebody switched off S3 Block Public Access for the whole account.',
  BucketBlockPublicAccessDisabled: 'Somebody switched off S3 Block Public Access for a bucket.',
  BucketAnonymousAccessGranted: 'Somebody opened an S3 bucket to everybody on the internet.',
  BucketPublicAccessGranted: 'Somebody opened an S3 bucket to all AWS users.',
  ServerAccessLoggingDisabled: 'Somebody switched off the access log of an S3 bucket.',
  BucketEnumeration: 'An AWS identity listed S3 buckets in an unusual way.',
  ObjectDelete: 'An AWS identity deleted data in an S3 bucket in an unusual way.',
  PermissionsModification: 'An AWS identity changed the permissions of S3 resources in an unusual way.',
  'Object:S3/MaliciousFile': 'An S3 object contains malware.',

  // Malware scans
  MaliciousFile: 'A scan found malware on {subject}.',
  SuspiciousFile: 'A scan found a suspicious file on {subject}.',
  'MaliciousFile!AMI': 'A scan found malware in a machine image (AMI).',
  'MaliciousFile!Snapshot': 'A scan found malware in an EBS snapshot.',
  'EC2/MaliciousFile!RecoveryPoint': 'A scan found malware in an AWS Backup recovery point of an EC2 instance.',
  'S3/MaliciousFile!RecoveryPoint': 'A scan found malware in an AWS Backup recovery point of an S3 bucket.',

  // Databases
  'Discovery:RDS/MaliciousIPCaller': 'A known malicious IP address probed {subject}, without trying to sign in.',
  'Discovery:RDS/TorIPCaller': 'A Tor exit node probed {subject}, without trying to sign in.',
  'RDS/AnomalousBehavior.FailedLogin': 'Unusual failed sign-ins to {subject} were seen.',
  'RDS/AnomalousBehavior.SuccessfulBruteForce': 'Somebody signed in to {subject} after many failed attempts.',
  'RDS/AnomalousBehavior.SuccessfulLogin': 'Somebody signed in to {subject} in an unusual way.',
  'RDS/MaliciousIPCaller.FailedLogin': 'A known malicious IP address tried to sign in to {subject} and failed.',
  'RDS/MaliciousIPCaller.SuccessfulLogin': 'Somebody signed in to {subject} from a known malicious IP address.',
  'RDS/TorIPCaller.FailedLogin': 'Somebody tried to sign in to {subject} from a Tor exit node and failed.',
  'RDS/TorIPCaller.SuccessfulLogin': 'Somebody signed in to {subject} from a Tor exit node.',

  // Kubernetes
  'AnomalousBehavior.SecretsAccessed': 'Somebody read Kubernetes secrets in an unusual way.',
  'AnomalousBehavior.PermissionChecked': 'Somebody checked their own Kubernetes rights in an unusual way.',
  'AnomalousBehavior.ExecInPod': 'Somebody ran a command inside a pod in an unusual way.',
  'AnomalousBehavior.WorkloadDeployed': 'Somebody started a Kubernetes workload in an unusual way.',
  'AnomalousBehavior.WorkloadDeployed!ContainerWithSensitiveMount':
    'Somebody started, in an unusual way, a Kubernetes workload that can see sensitive folders of its host.',
  'AnomalousBehavior.WorkloadDeployed!PrivilegedContainer':
    'Somebody started, in an unusual way, a Kubernetes workload with a privileged container.',
  'AnomalousBehavior.RoleBindingCreated': 'Somebody gave very wide Kubernetes rights away in an unusual way.',
  'AnomalousBehavior.RoleCreated': 'Somebody made a Kubernetes role with very wide rights in an unusual way.',
  ExecInKubeSystemPod: 'Somebody ran a command inside a pod of the kube-system namespace.',
  ContainerWithSensitiveMount: 'Somebody started a container that can see sensitive folders of its host.',
  PrivilegedContainer: 'Somebody started a privileged container, with root rights on its host.',
  AdminAccessToDefaultServiceAccount: 'The default service account of a Kubernetes cluster was made an administrator.',
  AnonymousAccessGranted: 'A Kubernetes cluster was opened to callers who have not signed in.',
  ExposedDashboard: 'The dashboard of a Kubernetes cluster was opened to the internet.',
  KubeflowDashboardExposed: 'The Kubeflow dashboard of a Kubernetes cluster was opened to the internet.',

  // Processes on instances and in containers
  FilelessExecution: '{Subject} runs code from memory that is in no file.',
  KernelModuleLoaded: '{Subject} loaded a kernel module.',
  ProcessInjection: '{Subject} put code into another process.',
  'ProcessInjection.Proc': '{Subject} put code into another process through the proc file system.',
  'ProcessInjection.Ptrace': '{Subject} put code into another process with ptrace.',
  'ProcessInjection.VirtualMemoryWrite': '{Subject} put code into another process by writing into its memory.',
  PtraceAntiDebugging: '{Subject} defends itself against debuggers, as malware does.',
  SuspiciousCommand: '{Subject} ran suspicious commands {doing}.',
  'Execution:Runtime/SuspiciousCommand': '{Subject} ran a command that points to a compromise.',
  MaliciousFileExecuted: '{Subject} ran a file that is known malware.',
  NewBinaryExecuted: '{Subject} ran a program that was made or changed a moment before.',
  NewLibraryLoaded: '{Subject} loaded a library that was made or changed a moment before.',
  ReverseShell: '{Subject} opened a reverse shell: somebody outside can type commands.',
  SuspiciousShellCreated: '{Subject} that serves the network has started a shell.',
  SuspiciousTool: '{Subject} runs a tool that attackers and penetration testers use.',
  CGroupsReleaseAgentModified: '{Subject} tried to break out of its container through the cgroups release agent.',
  ContainerMountsHostDirectory: '{Subject} mounted a folder of the host from inside a container.',
  DockerSocketAccessed: '{Subject} is talking to the Docker daemon from inside a container.',
  ElevationToRoot: '{Subject} became root.',
  RuncContainerEscape: '{Subject} tried to break out of its container through runC.',
  UserfaultfdUsage: '{Subject} handles page faults itself, a trick to exploit the kernel.',

  // Custom detection rules of 2026, named after ATT&CK techniques
  'EC2/UnsecuredCredentials': 'Somebody asked AWS for the Windows password of an EC2 instance.',
  'CredentialAccess:RDS/ModifyAuthenticationProcess': 'Somebody reset the master password of a database.',
  'DefenseImpairment:RDS/ModifyAuthenticationProcess': 'Somebody switched off IAM sign-in for a database.',
  'Lambda/ModifyAuthenticationProcess': 'Somebody opened the URL of a Lambda function to everybody.',
  ModifyAuthenticationProcess: 'Somebody changed how people sign in to {subject}.',
  'EC2/DisableOrModifyTools': 'Somebody deleted VPC flow logs or changed the protection of an EC2 instance.',
  'Organizations/DisableOrModifyTools': 'Somebody switched off a policy type of the AWS organization.',
  'Route53Resolver/DisableOrModifyTools': 'Somebody deleted the DNS query logs.',
  'S3/DisableOrModifyTools': 'Somebody switched an S3 bucket to encryption keys that only the caller has.',
  DisableOrModifyTools: 'Somebody weakened the logging or protection of {subject}.',
  ModifyCloudResourceHierarchy: 'Somebody tried to take an account out of the AWS organization.',
  CommandAndScriptingInterpreter: 'Somebody changed the start-up script of a SageMaker notebook.',
  'EC2/TransferDataToCloudAccount': 'Somebody shared a machine image or an EBS snapshot with another account.',
  'RDS/TransferDataToCloudAccount': 'Somebody shared a database snapshot with everybody.',
  'S3/TransferDataToCloudAccount': 'Somebody gave another account access to an S3 bucket.',
  DataDestruction: 'Somebody set an S3 bucket to delete its data soon.',
  ResourceHijacking: 'Somebody prepared the account to send e-mail in bulk.',
  CompromiseAccounts: 'Somebody verified a new sender domain for e-mail.',
  ValidAccounts: 'Somebody signed in to the AWS console without a second factor.',
  ExploitPublicFacingApplication: 'Somebody made a database reachable from the internet.',
  RemoteServices: 'Somebody pushed an SSH key to an EC2 instance to sign in with.',
  BootOrLogonInitializationScripts: 'Somebody changed the start-up script of an EC2 instance.',
  ExternalRemoteServices: 'Somebody opened SSH of a security group to the internet.',
  'Persistence:IAM/AccountManipulation':
    'Somebody changed how an IAM identity signs in: a key, a password or a trust policy.',
  'PrivilegeEscalation:IAM/AccountManipulation': 'Somebody gave an IAM identity far-reaching rights.',
  'Lambda/AccountManipulation': 'Somebody let everybody call a Lambda function.',
  'RolesAnywhere/AccountManipulation': 'Somebody added a certificate authority that can hand out AWS credentials.',
  AccountManipulation: 'Somebody changed the identities or rights of {subject}.',
};
