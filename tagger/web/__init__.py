"""The app process below Streamlit: REST API, thumbnails, guard, intake, supervisor.

Nothing here imports Streamlit: `app.py` hands over what only Streamlit knows (the
address really bound). Pages talk to this room through `runtime.current()`.
"""
