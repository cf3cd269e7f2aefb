/** Answers who asked, as an HTTP API with payload 2.0 tells a function; or fails with an error of the name that it is told. */
const source = `exports.handler = async (event) => {
  if (event.fail) throw Object.assign(new Error('as it was asked to'), { name: event.fail });
  return { node: process.version, asked: event.requestContext?.authorizer?.iam?.userArn ?? 'nobody' };
};`;

/** A small CloudFormation stack with one of each thing that the trials try. `plain`: the endpoint is reached without TLS. */
export function labTemplate(name: string, plain: boolean): object {
  const at = (resource: string, attribute = 'Arn') => ({ 'Fn::GetAtt': [resource, attribute] });
  const allow = (Action: string, Resource: unknown, more: object = {}) => ({ Effect: 'Allow', Action, Resource, ...more });
  const policy = (...Statement: object[]) => ({ Version: '2012-10-17', Statement });
  const definition = {
    StartAt: 'Wait',
    States: {
      Wait: {
        Type: 'Task',
        Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
        Parameters: { 'QueueUrl.$': '$.queue', 'MessageBody.$': '$$.Task.Token' },
        TimeoutSeconds: 120,
        End: true,
      },
    },
  };
  const failing = {
    StartAt: 'Fail',
    States: {
      Fail: {
        Type: 'Task',
        Resource: '<function>',
        Parameters: { fail: 'Wanted' },
        TimeoutSeconds: 60,
        Catch: [
          { ErrorEquals: ['Wanted'], Next: 'ByName' },
          { ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'ByAnything' },
        ],
        End: true,
      },
      ByName: { Type: 'Pass', Result: 'by its name', End: true },
      ByAnything: { Type: 'Pass', OutputPath: '$.error', End: true },
    },
  };
  const [before, after] = JSON.stringify(failing).split('<function>');
  // By its name: the function needs the role before it is there itself.
  const functionArn = { 'Fn::Join': [':', ['arn:aws:lambda', { Ref: 'AWS::Region' }, { Ref: 'AWS::AccountId' }, 'function', name]] };
  const services = ['lambda', 'states', 'scheduler'].map((service) => `${service}.amazonaws.com`);
  return {
    Resources: {
      Role: resource('AWS::IAM::Role', {
        RoleName: `${name}-role`,
        AssumeRolePolicyDocument: policy({ Effect: 'Allow', Principal: { Service: services }, Action: 'sts:AssumeRole' }),
        Policies: [
          {
            PolicyName: 'send',
            PolicyDocument: policy(allow('sqs:SendMessage', at('Queue')), allow('lambda:InvokeFunction', functionArn)),
          },
        ],
      }),
      Function: resource('AWS::Lambda::Function', {
        FunctionName: name,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Role: at('Role'),
        Code: { ZipFile: source },
      }),
      Api: resource('AWS::ApiGatewayV2::Api', { Name: name, ProtocolType: 'HTTP' }),
      Integration: resource('AWS::ApiGatewayV2::Integration', {
        ApiId: { Ref: 'Api' },
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: at('Function'),
        PayloadFormatVersion: '2.0',
      }),
      Route: resource('AWS::ApiGatewayV2::Route', {
        ApiId: { Ref: 'Api' },
        RouteKey: 'POST /who',
        AuthorizationType: 'AWS_IAM',
        Target: { 'Fn::Join': ['/', ['integrations', { Ref: 'Integration' }]] },
      }),
      Stage: resource('AWS::ApiGatewayV2::Stage', { ApiId: { Ref: 'Api' }, StageName: '$default', AutoDeploy: true }),
      Permission: resource('AWS::Lambda::Permission', {
        FunctionName: { Ref: 'Function' },
        Action: 'lambda:InvokeFunction',
        Principal: 'apigateway.amazonaws.com',
        SourceArn: {
          'Fn::Join': [
            ':',
            ['arn:aws:execute-api', { Ref: 'AWS::Region' }, { Ref: 'AWS::AccountId' }, { 'Fn::Join': ['/', [{ Ref: 'Api' }, '*']] }],
          ],
        },
      }),
      Queue: resource('AWS::SQS::Queue', { QueueName: name }),
      QueuePolicy: resource('AWS::SQS::QueuePolicy', {
        Queues: [{ Ref: 'Queue' }],
        PolicyDocument: policy(allow('sqs:SendMessage', at('Queue'), { Principal: { Service: 'sns.amazonaws.com' } })),
      }),
      // The condition of a TLS-only policy, turned so that it meets the connection that the tests have.
      Closed: resource('AWS::SQS::Queue', { QueueName: `${name}-closed` }),
      ClosedPolicy: resource('AWS::SQS::QueuePolicy', {
        Queues: [{ Ref: 'Closed' }],
        PolicyDocument: policy({
          ...allow('sqs:SendMessage', at('Closed')),
          Effect: 'Deny',
          Principal: '*',
          Condition: { Bool: { 'aws:SecureTransport': String(!plain) } },
        }),
      }),
      Topic: resource('AWS::SNS::Topic', { TopicName: name }),
      Subscription: resource('AWS::SNS::Subscription', {
        TopicArn: { Ref: 'Topic' },
        Protocol: 'sqs',
        Endpoint: at('Queue'),
        RawMessageDelivery: true,
        FilterPolicy: { kind: ['wanted'] },
      }),
      Workflow: resource('AWS::StepFunctions::StateMachine', {
        StateMachineName: name,
        RoleArn: at('Role'),
        DefinitionString: JSON.stringify(definition),
      }),
      Failing: resource('AWS::StepFunctions::StateMachine', {
        StateMachineName: `${name}-failing`,
        RoleArn: at('Role'),
        DefinitionString: { 'Fn::Join': ['', [before, at('Function'), after]] },
      }),
      Table: resource('AWS::DynamoDB::Table', {
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        DeletionProtectionEnabled: true,
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      }),
      Parameter: {
        ...resource('AWS::SSM::Parameter', { Name: `/${name}/retained`, Type: 'String', Value: 'still here' }),
        DeletionPolicy: 'Retain',
      },
    },
    Outputs: {
      ApiUrl: { Value: at('Api', 'ApiEndpoint') },
      ApiId: { Value: { Ref: 'Api' } },
      QueueUrl: { Value: { Ref: 'Queue' } },
      QueueArn: { Value: at('Queue') },
      ClosedUrl: { Value: { Ref: 'Closed' } },
      TopicArn: { Value: { Ref: 'Topic' } },
      WorkflowArn: { Value: { Ref: 'Workflow' } },
      FailingArn: { Value: { Ref: 'Failing' } },
      RoleArn: { Value: at('Role') },
      Table: { Value: { Ref: 'Table' } },
    },
  };
}

function resource(Type: string, Properties: object) {
  return { Type, Properties };
}
