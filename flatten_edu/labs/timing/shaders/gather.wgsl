// y[i] = the sum of x[i], x[i + count], x[i + 2 count], ...: what the chunks have found, together.
struct Shape { count: u32, chunks: u32 }
@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) me: vec3u) {
  if (me.x >= s.count) { return; }
  var sum = 0.0;
  for (var z = 0u; z < s.chunks; z++) { sum += x[z * s.count + me.x]; }
  y[me.x] = sum;
}
