// Drives the clock until the chain has seen its last word.
#include "Vchain.h"
#include "verilated.h"

int main() {
    VerilatedContext context;
    Vchain chain(&context);
    for (unsigned long step = 0; !context.gotFinish() && step < 20000000; ++step) {
        chain.rst = step < 8;
        chain.clk = step & 1;
        chain.eval();
    }
    return context.gotFinish() ? 0 : 1;
}
