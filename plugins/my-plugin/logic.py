from typing import Dict, Any

class MyPlugin:
    def __init__(self, config: Dict[str, Any] = None):
        self.config = config or {}
    
    def on_init(self, app_context: Any) -> None:
        """Called when app starts"""
        print("MyPlugin initialized")
    
    def on_request(self, request_data: Dict[str, Any]) -> Dict[str, Any]:
        """Called on each request"""
        return {"plugin": "my-plugin", "status": "active"}
