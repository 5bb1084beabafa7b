# Shortest paths in a weighted graph with Dijkstra's algorithm.
import heapq


def shortest_path(graph, start, goal):
    """Return (distance, path), or (None, []) when the goal cannot be reached."""
    best = {start: 0}
    previous = {}
    queue = [(0, start)]
    while queue:
        distance, node = heapq.heappop(queue)
        if node == goal:
            path = [node]
            while node in previous:
                node = previous[node]
                path.append(node)
            return distance, path[::-1]
        if distance > best[node]:
            continue  # an older, longer entry for this node
        for neighbor, weight in graph.get(node, {}).items():
            candidate = distance + weight
            if neighbor not in best or candidate < best[neighbor]:
                best[neighbor] = candidate
                previous[neighbor] = node
                heapq.heappush(queue, (candidate, neighbor))
    return None, []


if __name__ == "__main__":
    roads = {
        "A": {"B": 4, "C": 2},
        "B": {"D": 5},
        "C": {"B": 1, "D": 8},
        "D": {},
    }
    print(shortest_path(roads, "A", "D"))  # (8, ['A', 'C', 'B', 'D'])
