// Points drawn by the graphics processor.

const VERTEX_SHADER = `#version 300 es
in vec3 place; in vec4 ink; in vec2 look;
uniform vec2 size; uniform float cell;
out vec4 body; flat out vec2 kind; out float nearness;
void main() {
  body = ink; kind = look; nearness = place.z;
  gl_Position = vec4(place.x / size.x * 2.0 - 1.0, 1.0 - place.y / size.y * 2.0, 0.0, ink.a > 0.0 ? 1.0 : 0.0);
  gl_PointSize = cell * place.z;
}`;
// look.x is the shape; look.y is 0 for a full point, 1 for a hollow one, 2 for a full and 3 for a hollow new one.
const FRAGMENT_SHADER = `#version 300 es
precision mediump float;
in vec4 body; flat in vec2 kind; in float nearness;
uniform sampler2D masks; uniform float shapes; uniform vec3 card; uniform vec3 line;
out vec4 pixel;
void main() {
  vec3 mask = texture(masks, vec2((kind.x + gl_PointCoord.x) / shapes, gl_PointCoord.y)).rgb;
  bool hollow = mod(kind.y, 2.0) > 0.5;
  bool fresh = kind.y > 1.5;
  vec3 colour = hollow ? (fresh ? line : body.rgb) : mix(body.rgb, fresh ? line : card, fresh ? mask.b : mask.g);
  // What lies behind pales, which tells its depth even where nothing moves.
  colour = mix(colour, card, clamp(2.0 * (1.0 - nearness), 0.0, 0.5));
  float cover = hollow ? mask.b : max(mask.r, fresh ? mask.b : mask.g);
  pixel = vec4(colour, cover * body.a);
}`;

class GlPainter {
  constructor(canvas) {
    const options = { alpha: false, antialias: false, depth: false, preserveDrawingBuffer: true };
    const gl = this.gl = canvas.getContext("webgl2", options);
    if (!gl) throw new Error("no WebGL2");
    this.name = "webgl";
    this.canvas = canvas;
    const program = this.program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX_SHADER], [gl.FRAGMENT_SHADER, FRAGMENT_SHADER]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    gl.useProgram(program);
    this.at = (name) => gl.getUniformLocation(program, name);
    this.places = this.column("place", 3, gl.FLOAT, false);
    this.inks = this.column("ink", 4, gl.UNSIGNED_BYTE, true);
    this.looks = this.column("look", 2, gl.UNSIGNED_BYTE, false);
    this.order = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
    for (const way of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, way, gl.LINEAR);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }

  column(name, size, type, normalised) {
    const { gl } = this;
    const buffer = gl.createBuffer();
    const where = gl.getAttribLocation(this.program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(where);
    gl.vertexAttribPointer(where, size, type, normalised, 0, 0);
    return buffer;
  }

  load(buffer, values) {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, buffer);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, values, this.gl.DYNAMIC_DRAW);
  }

  // looks.version changes with the colours, so that a pan sends places alone.
  paint({ space, looks, radius, ratio, card, line }) {
    const { gl } = this;
    space.project();
    if (this.radius !== radius || this.ratio !== ratio) {
      const { canvas, cell } = shapeMasks(radius, ratio);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, canvas);
      [this.radius, this.ratio] = [radius, ratio];
      gl.uniform1f(this.at("cell"), cell);
      gl.uniform1f(this.at("shapes"), SHAPES.length);
    }
    if (this.version !== looks.version) {
      this.load(this.inks, looks.inks);
      this.load(this.looks, looks.kinds);
      this.version = looks.version;
    }
    const order = space.drawOrder();
    if (order !== this.sent || order === space.sorted) gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, order, gl.DYNAMIC_DRAW);
    this.sent = order;
    this.load(this.places, space.screen);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(...card.map((part) => part / 255), 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(this.at("size"), space.width, space.height);
    gl.uniform3f(this.at("card"), ...card.map((part) => part / 255));
    gl.uniform3f(this.at("line"), ...line.map((part) => part / 255));
    gl.drawElements(gl.POINTS, space.n, gl.UNSIGNED_INT, 0);
  }
}
