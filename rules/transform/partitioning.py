"""Graph partitioning with reconfiguration: the network is cut into parts that follow each other on the device.

Opens one gene for the graph: the positions in its node list in front of which a new bitstream may begin. Tensors that
cross a cut go through off-chip memory; every further partition costs a reconfiguration a batch.
"""

from __future__ import annotations

from flow.explore.transform import Gene, transform
from flow.ir import Graph


@transform(applies_to=Graph)
def partitioning(graph: Graph) -> Gene:
    """Every edge of the topological order may be cut, but a node without hardware stays with what it reads."""
    nodes = graph.nodes
    return Gene("cuts", tuple(i for i in range(1, len(nodes)) if nodes[i].op.ip))
