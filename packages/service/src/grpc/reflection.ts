import { createRegistry, type DescFile, type DescService, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, printable, type ServerReflection, type ServerReflectionResponseSchema } from "@sallyport/contracts";
import type { Handlers } from "../handler.ts";

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"]>;

/** grpc.reflection.v1 over the descriptors that the code itself was generated from. */
export function reflectionHandlers(services: readonly DescService[]): Handlers<typeof ServerReflection> {
  const files = [...new Set(services.flatMap(({ file }) => withDependencies(file)))];
  const types = createRegistry(...files);
  /** A symbol may be a type, or a method, field or value inside one. */
  const fileOf = (symbol: string) => (types.get(symbol) ?? types.get(symbol.slice(0, Math.max(0, symbol.lastIndexOf(".")))))?.file;
  return {
    async *serverReflectionInfo(requests) {
      for await (const originalRequest of requests) {
        const { case: asked, value } = originalRequest.messageRequest;
        const messageResponse: Answer =
          asked === "listServices"
            ? { case: "listServicesResponse", value: { service: services.map(({ typeName }) => ({ name: typeName })) } }
            : asked === "fileByFilename"
              ? contentOf(
                  files.find(({ proto }) => proto.name === value),
                  value,
                )
              : asked === "fileContainingSymbol"
                ? contentOf(fileOf(value), value)
                : notFound("Extensions are not used here.");
        yield { validHost: originalRequest.host, originalRequest, messageResponse };
      }
    },
  };
}

function contentOf(file: DescFile | undefined, name: string): Answer {
  if (file === undefined) return notFound(`There is no ${printable(name)} here.`);
  const fileDescriptorProto = [...new Set(withDependencies(file))].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

const notFound = (errorMessage: string): Answer => ({ case: "errorResponse", value: { errorCode: Code.NotFound, errorMessage } });

const withDependencies = (file: DescFile): DescFile[] => [file, ...file.dependencies.flatMap(withDependencies)];
