// Hand-written chain that the timed simulations are held against: a fork, two convolutions, a join, FIFOs between.
//
//     source - fork - conv A - conv B - add - sink          and a skip from the fork to the add
//
// Every module is one pipeline that begins at most one step a cycle and stops as a whole when its last stage cannot
// write: the ordinary way to write such hardware, not the rules of the simulators. Values are computed, too.

module fifo #(parameter WIDTH = 64, DEPTH = 2) (
    input clk, input rst,
    input in_valid, output in_ready, input [WIDTH-1:0] in_data,
    output out_valid, input out_ready, output [WIDTH-1:0] out_data
);
    reg [WIDTH-1:0] words [0:DEPTH-1];
    reg [31:0] head, tail, count;
    assign in_ready = count < DEPTH;
    assign out_valid = count > 0;
    assign out_data = words[head];
    wire push = in_valid && in_ready, pop = out_valid && out_ready;
    always @(posedge clk)
        if (rst) begin
            head <= 0; tail <= 0; count <= 0;
        end else begin
            if (push) begin
                words[tail] <= in_data;
                tail <= tail == DEPTH - 1 ? 0 : tail + 1;
            end
            if (pop) head <= head == DEPTH - 1 ? 0 : head + 1;
            count <= count + (push ? 1 : 0) - (pop ? 1 : 0);
        end
endmodule

// `STAGES` registers behind a step; all hold when the last is blocked.
module pipeline #(parameter WIDTH = 64, STAGES = 4) (
    input clk, input rst, input enable,
    input in_valid, input [WIDTH-1:0] in_data,
    output out_valid, output [WIDTH-1:0] out_data
);
    reg [WIDTH-1:0] data [0:STAGES-1];
    reg [STAGES-1:0] valid;
    assign out_valid = valid[STAGES-1];
    assign out_data = data[STAGES-1];
    integer k;
    always @(posedge clk)
        if (rst) valid <= 0;
        else if (enable) begin
            valid <= (valid << 1) | {{(STAGES-1){1'b0}}, in_valid};
            data[0] <= in_data;
            for (k = 1; k < STAGES; k = k + 1) data[k] <= data[k-1];
        end
endmodule

// Padded K x K convolution, stride 1: CI x CO x FINE multipliers, line buffers, one accumulator a filter.
module conv #(
    parameter H = 8, W = 8, C = 4, F = 4, K = 3, PAD = 1, CI = 4, CO = 4, FINE = 9, BITS = 16, STAGES = 13,
    parameter SHIFT = 8, RELU = 1, parameter WEIGHTS = "w.hex", BIASES = "b.hex"
) (
    input clk, input rst,
    input in_valid, output in_ready, input [CI*BITS-1:0] in_data,
    output out_valid, input out_ready, output [CO*BITS-1:0] out_data
);
    localparam N = (C + CI - 1) / CI, M = (F + CO - 1) / CO, Q = (K * K + FINE - 1) / FINE, WP = W + 2 * PAD;
    reg signed [BITS-1:0] weight [0:F*C*K*K-1];
    reg signed [47:0] bias [0:F-1];
    initial begin
        $readmemh(WEIGHTS, weight);
        $readmemh(BIASES, bias);
    end
    reg [CI*BITS-1:0] line [0:K*WP*N-1];
    reg signed [47:0] acc [0:F-1];
    integer y, x, i, j, s, o, c, t, at, f;
    reg [CI*BITS-1:0] tap;
    reg signed [47:0] sum, rounded;
    reg [CO*BITS-1:0] result;

    wire blocked = out_valid && !out_ready;
    wire real_pixel = y >= PAD && y < PAD + H && x >= PAD && x < PAD + W;
    wire computes = y >= K - 1 && x >= K - 1;
    wire takes = j == 0 && s == 0 && real_pixel;
    wire step = !rst && !blocked && (!takes || in_valid);
    wire gives = computes && i == N - 1 && s == Q - 1;
    assign in_ready = !rst && !blocked && takes;

    // The step's arithmetic; `result` is registered by the pipeline's first stage.
    reg signed [47:0] total [0:CO-1];
    always @* begin
        result = 0;
        for (o = 0; o < CO; o = o + 1) begin
            f = j * CO + o;
            sum = (i == 0 && s == 0) ? bias[f] : acc[f];
            for (t = 0; t < FINE; t = t + 1) begin
                at = s * FINE + t;
                if (at < K * K) begin
                    tap = line[((y + 1 + at / K) % K) * WP * N + (x - K + 1 + at % K) * N + i];
                    if (at == K * K - 1 && j == 0 && s == 0) tap = real_pixel ? in_data : 0;
                    for (c = 0; c < CI; c = c + 1)
                        sum = sum + $signed(tap[c*BITS +: BITS]) * weight[(f * C + i * CI + c) * K * K + at];
                end
            end
            total[o] = sum;
            rounded = (sum + (48'sd1 <<< (SHIFT - 1))) >>> SHIFT;
            if (rounded > (1 << (BITS - 1)) - 1) rounded = (1 << (BITS - 1)) - 1;
            if (rounded < -(1 << (BITS - 1))) rounded = -(1 << (BITS - 1));
            if (RELU != 0 && rounded < 0) rounded = 0;
            result[o*BITS +: BITS] = rounded[BITS-1:0];
        end
    end

    always @(posedge clk)
        if (rst) begin
            y <= 0; x <= 0; i <= 0; j <= 0; s <= 0;
        end else if (step) begin
            if (j == 0 && s == 0) line[(y % K) * WP * N + x * N + i] <= real_pixel ? in_data : 0;
            if (computes) for (o = 0; o < CO; o = o + 1) acc[j * CO + o] <= total[o];
            if (computes && s < Q - 1) s <= s + 1;
            else begin
                s <= 0;
                if (computes && j < M - 1) j <= j + 1;
                else begin
                    j <= 0;
                    if (i < N - 1) i <= i + 1;
                    else begin
                        i <= 0;
                        if (x < WP - 1) x <= x + 1;
                        else begin
                            x <= 0;
                            y <= y < H + 2 * PAD - 1 ? y + 1 : 0;
                        end
                    end
                end
            end
        end
    pipeline #(CO * BITS, STAGES) stages (clk, rst, !blocked, step && gives, result, out_valid, out_data);
endmodule

module fork2 #(parameter WIDTH = 64, STAGES = 2) (
    input clk, input rst,
    input in_valid, output in_ready, input [WIDTH-1:0] in_data,
    output a_valid, input a_ready, output [WIDTH-1:0] a_data,
    output b_valid, input b_ready, output [WIDTH-1:0] b_data
);
    wire valid;
    wire [WIDTH-1:0] data;
    wire blocked = valid && !(a_ready && b_ready);
    assign in_ready = !rst && !blocked;
    pipeline #(WIDTH, STAGES) stages (clk, rst, !blocked, in_valid && in_ready, in_data, valid, data);
    assign a_valid = valid && b_ready;
    assign b_valid = valid && a_ready;
    assign a_data = data;
    assign b_data = data;
endmodule

// Sum of two streams at one scale, rounded and saturated.
module join2 #(parameter LANES = 4, BITS = 16, LEFT_A = 0, LEFT_B = 0, SHIFT = 0, STAGES = 5) (
    input clk, input rst,
    input a_valid, output a_ready, input [LANES*BITS-1:0] a_data,
    input b_valid, output b_ready, input [LANES*BITS-1:0] b_data,
    output out_valid, input out_ready, output [LANES*BITS-1:0] out_data
);
    wire blocked = out_valid && !out_ready;
    wire step = !rst && !blocked && a_valid && b_valid;
    assign a_ready = step;
    assign b_ready = step;
    reg [LANES*BITS-1:0] result;
    reg signed [47:0] sum;
    integer l;
    always @* begin
        result = 0;
        for (l = 0; l < LANES; l = l + 1) begin
            sum = $signed(a_data[l*BITS +: BITS]) * (48'sd1 <<< LEFT_A) + $signed(b_data[l*BITS +: BITS]) * (48'sd1 <<< LEFT_B);
            if (SHIFT > 0) sum = (sum + (48'sd1 <<< (SHIFT > 0 ? SHIFT - 1 : 0))) >>> (SHIFT > 0 ? SHIFT : 0);
            if (sum > (1 << (BITS - 1)) - 1) sum = (1 << (BITS - 1)) - 1;
            if (sum < -(1 << (BITS - 1))) sum = -(1 << (BITS - 1));
            result[l*BITS +: BITS] = sum[BITS-1:0];
        end
    end
    pipeline #(LANES * BITS, STAGES) stages (clk, rst, !blocked, step, result, out_valid, out_data);
endmodule

// A frame's words from a file, one a cycle; `LATENCY` cycles of the memory in front of each frame.
module source #(parameter WIDTH = 64, WORDS = 64, FRAMES = 3, LATENCY = 64, STAGES = 4, parameter FILE = "x.hex") (
    input clk, input rst, input [31:0] cycle, output out_valid, input out_ready, output [WIDTH-1:0] out_data
);
    reg [WIDTH-1:0] words [0:WORDS*FRAMES-1];
    initial $readmemh(FILE, words);
    integer at, index, pause;
    wire blocked = out_valid && !out_ready;
    wire step = !rst && !blocked && pause == 0 && at < WORDS * FRAMES;
    always @(posedge clk)
        if (rst) begin
            at <= 0; index <= 0; pause <= LATENCY;
        end else begin
            if (pause > 0) pause <= pause - 1;
            if (step) begin
                if (at == 0) $display("first %0d", cycle);
                at <= at + 1;
                index <= index == WORDS - 1 ? 0 : index + 1;
                if (index == WORDS - 1) pause <= LATENCY;
            end
        end
    pipeline #(WIDTH, STAGES) stages (clk, rst, !blocked, step, words[at], out_valid, out_data);
endmodule

// Takes a word a cycle; behind each frame it waits `PAUSE` cycles for the memory's answer.
module sink #(parameter WIDTH = 64, WORDS = 64, FRAMES = 3, PAUSE = 64, STAGES = 4) (
    input clk, input rst, input [31:0] cycle, input in_valid, output in_ready, input [WIDTH-1:0] in_data
);
    integer index, frame, pause;
    assign in_ready = !rst && pause == 0;
    always @(posedge clk)
        if (rst) begin
            index <= 0; frame <= 0; pause <= 0;
        end else begin
            if (pause > 0) pause <= pause - 1;
            if (in_valid && in_ready) begin
                $display("word %h", in_data);
                index <= index == WORDS - 1 ? 0 : index + 1;
                if (index == WORDS - 1) begin
                    $display("last %0d", cycle + STAGES);
                    pause <= PAUSE;
                    frame <= frame + 1;
                    if (frame == FRAMES - 1) $finish;
                end
            end
        end
endmodule

module chain #(
    parameter H = 12, W = 10, C = 4, F = 8, FRAMES = 3, FINE_A = 3, FINE_B = 9, SKIP = 64,
    parameter D_READ = 2, D_FORK = 2, D_A = 2, D_B = 2, D_ADD = 2,
    parameter STAGES_READ = 4, STAGES_FORK = 2, STAGES_A = 13, STAGES_B = 13, STAGES_ADD = 5, STAGES_WRITE = 4,
    parameter SHIFT_A = 8, SHIFT_B = 8, LEFT_A = 0, LEFT_B = 0, SHIFT_ADD = 0, LATENCY = 64, PAUSE = 64
) (input clk, input rst);
    reg [31:0] cycle = 0;
    always @(posedge clk) cycle <= cycle + 1;

    wire [63:0] d [0:11];
    wire v [0:11], r [0:11];
    source #(64, H * W, FRAMES, LATENCY, STAGES_READ, "x.hex") read (clk, rst, cycle, v[0], r[0], d[0]);
    fifo #(64, D_READ) f0 (clk, rst, v[0], r[0], d[0], v[1], r[1], d[1]);
    fork2 #(64, STAGES_FORK) split (clk, rst, v[1], r[1], d[1], v[2], r[2], d[2], v[3], r[3], d[3]);
    fifo #(64, D_FORK) f1 (clk, rst, v[2], r[2], d[2], v[4], r[4], d[4]);
    fifo #(64, SKIP) f2 (clk, rst, v[3], r[3], d[3], v[5], r[5], d[5]);
    conv #(H, W, C, F, 3, 1, 4, 4, FINE_A, 16, STAGES_A, SHIFT_A, 1, "wa.hex", "ba.hex") a
        (clk, rst, v[4], r[4], d[4], v[6], r[6], d[6]);
    fifo #(64, D_A) f3 (clk, rst, v[6], r[6], d[6], v[7], r[7], d[7]);
    conv #(H, W, F, C, 3, 1, 4, 4, FINE_B, 16, STAGES_B, SHIFT_B, 0, "wb.hex", "bb.hex") b
        (clk, rst, v[7], r[7], d[7], v[8], r[8], d[8]);
    fifo #(64, D_B) f4 (clk, rst, v[8], r[8], d[8], v[9], r[9], d[9]);
    join2 #(4, 16, LEFT_A, LEFT_B, SHIFT_ADD, STAGES_ADD) meet
        (clk, rst, v[9], r[9], d[9], v[5], r[5], d[5], v[10], r[10], d[10]);
    fifo #(64, D_ADD) f5 (clk, rst, v[10], r[10], d[10], v[11], r[11], d[11]);
    sink #(64, H * W, FRAMES, PAUSE, STAGES_WRITE) write (clk, rst, cycle, v[11], r[11], d[11]);
endmodule
