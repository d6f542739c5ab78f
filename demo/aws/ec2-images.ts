/** Amazon EC2: the reads of machine images. */
import { clientError } from './ec2-shape.ts';
import { type Call, type Operation, type Outcome, texts } from './service.ts';

interface Image {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly alias?: string;
  readonly creationDate: string;
}

/** Public images of the story; any other id is not found. */
const images: readonly Image[] = [
  {
    ...{ id: 'ami-0c2b8ca1dad447f8a', name: 'amzn2-ami-hvm-2.0.20210813.1-x86_64-gp2', ownerId: '137112412989' },
    ...{ alias: 'amazon', creationDate: '2021-08-20T20:40:44.000Z' },
  },
  {
    ...{ id: 'ami-0d5eff06f840b45e9', name: 'amzn2-ami-hvm-2.0.20210326.0-x86_64-gp2', ownerId: '137112412989' },
    ...{ alias: 'amazon', creationDate: '2021-03-31T22:37:58.000Z' },
  },
];

function describeImages(call: Call): Outcome {
  call.may('ec2:DescribeImages');
  const ids = texts(call.input, 'ImageId');
  const missing = ids.filter((id) => !images.some((image) => image.id === id));
  for (const id of ids) {
    if (!/^ami-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id))
      throw clientError('InvalidAMIID.Malformed', `Invalid id: "${id}"`);
  }
  if (missing.length > 0)
    throw clientError('InvalidAMIID.NotFound', `The image id '[${missing.join(', ')}]' does not exist`);
  const imagesSet = images
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .map((image) => ({
      ...{ imageId: image.id, name: image.name, imageOwnerId: image.ownerId, imageOwnerAlias: image.alias },
      ...{ creationDate: image.creationDate, isPublic: true, imageState: 'available', imageType: 'machine' },
      ...{ architecture: 'x86_64', rootDeviceType: 'ebs', rootDeviceName: '/dev/xvda', virtualizationType: 'hvm' },
      imageLocation: `amazon/${image.name}`,
    }));
  return { output: { imagesSet } };
}

export const imageReads: Readonly<Record<string, Operation>> = {
  DescribeImages: { readOnly: true, run: describeImages },
};
