// build.mjs bundles the file that follows the colon for a worker, and gives it as a string.
declare module "worker:*" {
  const code: string;
  export default code;
}
