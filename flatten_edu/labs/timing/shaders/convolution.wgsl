// out += each channel of v convolved over the grid, zeros beyond its edges; a thread an entry.
struct Shape { height: u32, width: u32, channels: u32, side: u32 }
@group(0) @binding(0) var<uniform> s: Shape;
@group(0) @binding(1) var<storage, read> v: array<f32>;
@group(0) @binding(2) var<storage, read> kernel: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) me: vec3u) {
  if (me.x >= s.height * s.width * s.channels) { return; }
  let channel = me.x % s.channels;
  let cell = vec2i(vec2u(me.x / s.channels / s.width, me.x / s.channels % s.width));
  var sum = 0.0;
  for (var i = 0u; i < s.side; i++) {
    for (var j = 0u; j < s.side; j++) {
      let there = cell + vec2i(vec2u(i, j)) - i32(s.side / 2u);
      if (all(there >= vec2i(0)) && there.x < i32(s.height) && there.y < i32(s.width)) {
        let at = (u32(there.x) * s.width + u32(there.y)) * s.channels + channel;
        sum += kernel[(i * s.side + j) * s.channels + channel] * v[at];
      }
    }
  }
  out[me.x] += sum;
}
